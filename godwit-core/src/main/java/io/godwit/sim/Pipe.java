// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/** One direction of a connection: bounded, with a delay, and with one fault. Holds the bytes, schedules nothing. */
final class Pipe {
    /** What a write did. */
    record Sent(int taken, long readableAt, boolean cut) {}

    private record Segment(long arrives, int bytes) {}

    private final int room;
    private PipeFault fault;
    private final ArrayDeque<Segment> segments = new ArrayDeque<>();
    private byte[] ring = new byte[512];
    private int head;
    private int stored;
    private int lost;
    private long sent;
    private long lastArrival;
    private long stalledUntil = -1;
    private boolean closed;
    private boolean ended;

    Pipe(int room, PipeFault fault) {
        this.room = room;
        this.fault = fault;
    }

    /** Bytes taken from the writer so far. */
    long sent() {
        return sent;
    }

    /** Whether bytes are in it that can still be read. */
    boolean undelivered() {
        return stored > 0;
    }

    /** Nothing more will be written; what is under way arrives, and then the reader is told, unless all is silence by now. */
    void end() {
        closed = true;
        ended = ended || !(fault instanceof PipeFault.Silence(long after, boolean _) && sent >= after);
    }

    /** What is under way is gone. */
    void reset() {
        segments.clear();
        stored = 0;
        closed = true;
        ended = true;
    }

    /** From now on all is silence. */
    void silence(boolean swallow) {
        fault = new PipeFault.Silence(sent, swallow);
    }

    /** When the last byte written so far can be read, at the earliest. */
    long lastArrival() {
        return Math.max(lastArrival, stalledUntil);
    }

    /** A stall ends with the network's healing. */
    void heal(long now) {
        if (stalledUntil > now) {
            stalledUntil = now;
            lastArrival = now;
            ArrayDeque<Segment> freed = new ArrayDeque<>();
            segments.forEach(s -> freed.add(new Segment(Math.min(s.arrives, now), s.bytes)));
            segments.clear();
            segments.addAll(freed);
        }
    }

    /** Takes up to {@code most} bytes, as far as there is room. */
    Sent write(ByteBuffer from, int most, long now, long delay) {
        if (closed) {
            return new Sent(0, -1, false);
        }
        int n = Math.min(Math.min(room - stored - lost, most), from.remaining());
        long until = Long.MAX_VALUE;
        boolean cut = false;
        switch (fault) {
            case PipeFault.None _ -> {}
            case PipeFault.Cut(long after, boolean _) -> {
                n = (int) Math.min(n, after - sent);
                cut = sent + n >= after;
            }
            case PipeFault.Silence(long after, boolean swallow) -> {
                until = after;
                if (swallow && sent >= after) {
                    n = Math.min(most, from.remaining());
                }
            }
            case PipeFault.Stall(long after, long nanos) -> {
                if (sent + n > after && stalledUntil < 0) {
                    stalledUntil = now + nanos;
                }
            }
        }
        int arriving = (int) Math.max(0, Math.min(n, until - sent));
        store(from, arriving);
        from.position(from.position() + n);
        sent += n;
        if (n > arriving && !(fault instanceof PipeFault.Silence(long _, boolean swallow) && swallow)) {
            lost += n - arriving;
        }
        long arrives = Math.max(Math.max(lastArrival, now + delay), stalledUntil);
        if (arriving > 0) {
            lastArrival = arrives;
            segments.add(new Segment(arrives, arriving));
        }
        return new Sent(n, arriving > 0 ? arrives : -1, cut);
    }

    /** When the next byte can be read, or {@link Long#MAX_VALUE}. */
    long readableAt() {
        Segment next = segments.peek();
        return next == null ? Long.MAX_VALUE : next.arrives;
    }

    /** Gives up to {@code most} bytes that have arrived; -1 if nothing comes any more. */
    int read(ByteBuffer into, int most, long now) {
        int n = 0;
        int limit = Math.min(most, into.remaining());
        while (n < limit && readableAt() <= now) {
            Segment next = segments.remove();
            int k = Math.min(limit - n, next.bytes);
            fetch(into, k);
            n += k;
            if (k < next.bytes) {
                segments.addFirst(new Segment(next.arrives, next.bytes - k));
            }
        }
        return n == 0 && limit > 0 && ended && stored == 0 ? -1 : n;
    }

    private void store(ByteBuffer from, int n) {
        if (stored + n > ring.length) {
            byte[] larger = new byte[Integer.highestOneBit(stored + n) * 2];
            for (int i = 0; i < stored; i++) {
                larger[i] = ring[(head + i) & (ring.length - 1)];
            }
            ring = larger;
            head = 0;
        }
        int at = (head + stored) & (ring.length - 1);
        int first = Math.min(n, ring.length - at);
        from.get(from.position(), ring, at, first);
        from.get(from.position() + first, ring, 0, n - first);
        stored += n;
    }

    private void fetch(ByteBuffer into, int n) {
        int first = Math.min(n, ring.length - head);
        into.put(ring, head, first);
        into.put(ring, 0, n - first);
        head = (head + n) & (ring.length - 1);
        stored -= n;
    }
}
