// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.protocol.SourceInput.Mark;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Bytes on their way out of one channel, in order, with marks at places that matter once the kernel has them. Chunks are recycled, so a stream of pages allocates nothing.
 * How much may wait is the producer's matter ({@link #pending}). Used by the migration's loop only.
 */
public final class Outbox {
    /** Bytes in a chunk: one write's worth. */
    public static final int CHUNK = 256 * 1024;

    private static final int SPARE = 4;

    private record Place(long end, Mark mark) {}

    /** What is complete, in order: chunks, parts of chunks, and what was lent. */
    private final ArrayDeque<Loan> full = new ArrayDeque<>();

    private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();
    private final ArrayDeque<Place> marks = new ArrayDeque<>();
    private @Nullable ByteBuffer tail;
    /** Where in the tail that begins which is not in {@link #full} yet. */
    private int begin;

    private long appended;
    private long written;
    private boolean closing;
    private long barrier = Long.MAX_VALUE;
    private boolean released;
    private final int chunk;

    /** Empty. */
    public Outbox() {
        this(CHUNK);
    }

    /** Empty, of chunks of so many bytes. */
    Outbox(int chunk) {
        this.chunk = chunk;
    }

    /** A buffer with room for at least {@code bytes} (at most a chunk's); after writing to it, call {@link #appended}. */
    public ByteBuffer room(int bytes) {
        ByteBuffer current = tail;
        if (current != null && current.remaining() >= bytes) {
            return current;
        }
        if (current != null) {
            end(current);
        }
        ByteBuffer next = free.poll();
        if (next == null) {
            next = ByteBuffer.allocateDirect(chunk);
        }
        tail = next.clear();
        return tail;
    }

    /** The tail takes no more. Its parts come before it in {@link #full}, so once it is written they are, too. */
    private void end(ByteBuffer chunkOfTail) {
        full.add(new Loan(chunkOfTail.limit(chunkOfTail.position()).position(begin), () -> recycle(chunkOfTail)));
        tail = null;
        begin = 0;
    }

    private void recycle(ByteBuffer chunkOfOld) {
        if (free.size() < SPARE) {
            free.add(chunkOfOld);
        }
    }

    private static void nothing() {}

    /** Appends bytes where they are, behind those that were written into the buffer of {@link #room}, which goes on behind them. Not to be followed by {@link #appended} for them. */
    void lend(Loan loan) {
        ByteBuffer current = tail;
        if (current != null && current.position() > begin) {
            full.add(new Loan(current.slice(begin, current.position() - begin), Outbox::nothing));
            begin = current.position();
        }
        full.add(loan);
        appended += loan.bytes().remaining();
    }

    /** {@code bytes} were written into the buffer of {@link #room}. */
    public void appended(int bytes) {
        appended += bytes;
    }

    /** Appends any number of bytes. */
    public void append(byte[] bytes) {
        append(ByteBuffer.wrap(bytes));
    }

    /** Appends all that remains in {@code bytes}. */
    public void append(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            ByteBuffer out = room(1);
            int n = Math.min(out.remaining(), bytes.remaining());
            out.put(out.position(), bytes, bytes.position(), n);
            out.position(out.position() + n);
            bytes.position(bytes.position() + n);
            appended += n;
        }
    }

    /** Marks the place after the last byte appended. */
    public void mark(Mark mark) {
        marks.add(new Place(appended, mark));
    }

    /** What is appended from here on waits for {@link #release}. */
    void barrier() {
        if (barrier == Long.MAX_VALUE) {
            ByteBuffer current = tail;
            if (current != null && current.position() > begin) {
                end(current);
            }
            barrier = appended;
        }
    }

    /** Whatever waits may be written. */
    void release() {
        released = released || barrier != Long.MAX_VALUE;
        barrier = Long.MAX_VALUE;
    }

    /** Whether something may be written since {@link #release}, and nobody has tried yet. */
    boolean released() {
        return released;
    }

    /** Bytes appended and not handed to the kernel yet. */
    public long pending() {
        return appended - written;
    }

    /** Bytes handed to the kernel. */
    public long written() {
        return written;
    }

    /** Bytes appended so far. */
    public long total() {
        return appended;
    }

    /** The next bytes to be written, or null; the writer moves the buffer's position and calls {@link #advance}. */
    public @Nullable ByteBuffer head() {
        released = false;
        if (written >= barrier) {
            return null;
        }
        dropWritten();
        if (full.isEmpty()) {
            ByteBuffer current = tail;
            if (current == null || current.position() == begin) {
                return null;
            }
            end(current);
        }
        return full.element().bytes();
    }

    private void dropWritten() {
        Loan head;
        while ((head = full.peek()) != null && !head.bytes().hasRemaining()) {
            full.remove();
            head.over().run();
        }
    }

    /** {@code bytes} of {@link #head} were handed to the kernel. */
    public void advance(int bytes) {
        written += bytes;
        dropWritten();
    }

    /** The next mark that the kernel has reached, or null. */
    public @Nullable Mark reached() {
        Place place = marks.peek();
        if (place == null || place.end() > written) {
            return null;
        }
        marks.poll();
        return place.mark();
    }

    /** Nothing more will be appended: close the channel once all is written. */
    public void close() {
        closing = true;
    }

    public boolean closing() {
        return closing;
    }

    /** Forgets everything, for a new connection. */
    public void reset() {
        Loan head;
        while ((head = full.poll()) != null) {
            head.over().run();
        }
        if (tail != null) {
            tail.clear();
        }
        begin = 0;
        marks.clear();
        appended = 0;
        written = 0;
        closing = false;
        barrier = Long.MAX_VALUE;
        released = false;
    }
}
