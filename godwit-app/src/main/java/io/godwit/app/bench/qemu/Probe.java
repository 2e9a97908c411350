// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import io.godwit.net.Address;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.wire.DecoderOptions;
import io.godwit.wire.PackagedBlob;
import io.godwit.wire.PageRecord;
import io.godwit.wire.PreemptDecoder;
import io.godwit.wire.ReturnPathEncoder;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamDecoder;
import io.godwit.wire.StreamLimits;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A destination that runs no guest: it takes whatever comes, forgets it, and asks for one missing page after the other, at random. The same for every source, so that
 * what differs is the source. One thread.
 */
final class Probe implements AutoCloseable {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(120);
    private static final int READ = 64 << 10;
    private static final int PREEMPT_READ = 16 << 10;
    private static final BlockTable UNKNOWN = new BlockTable(List.of());

    private final Selector selector = Selector.open();
    private final ServerSocketChannel server;
    private final Random random;
    private final List<SocketChannel> channels = new ArrayList<>();
    private final ByteBuffer in = ByteBuffer.allocateDirect(READ);
    private final ByteBuffer urgentIn = ByteBuffer.allocateDirect(PREEMPT_READ);
    private final StreamDecoder stream =
            new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN.withPostcopyRam(true));
    private @Nullable PreemptDecoder urgent;
    private BlockTable blocks = UNKNOWN;
    private ReturnPathEncoder answers = new ReturnPathEncoder(UNKNOWN);
    private PageBitmap received = new PageBitmap(1);
    private int ram = -1;
    private long from;
    private long to;
    private boolean packaged;
    private boolean ended;
    private long bytes;
    private long awaited = -1;
    private long arrived;
    private boolean byPreempt;
    private @Nullable Exception failure;

    /**
     * How to ask.
     *
     * @param firstPage of those that are asked for, in the largest block
     * @param endPage behind the last
     * @param pauseMillis between an answer and the next request, about
     * @param most requests
     * @param seconds at most
     * @param keep do not ask any more once so many of the pages are missing
     */
    record Plan(long firstPage, long endPage, int pauseMillis, int most, int seconds, long keep) {}

    /**
     * What was measured.
     *
     * @param nanos from each request to its page, sorted
     * @param preempted pages that came by a channel of their own
     * @param bytesPerSecond of all that came meanwhile
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Sample(long[] nanos, long preempted, double bytesPerSecond) {
        /** Microseconds; {@code share} of the requests took no longer. */
        double micros(double share) {
            int index = (int) Math.ceil(share * nanos.length) - 1;
            return nanos[Math.clamp(index, 0, nanos.length - 1)] / 1e3;
        }
    }

    Probe(Address listen, long seed) throws IOException {
        random = new Random(seed);
        server = Listening.at(listen);
        server.configureBlocking(false);
        server.register(selector, SelectionKey.OP_ACCEPT);
    }

    /** Where it listens. */
    Address address() throws IOException {
        return Listening.of(server);
    }

    /** Follows a source into postcopy, to where a guest would run. */
    void awaitPostcopy() throws IOException, BenchFailed {
        long until = System.nanoTime() + PATIENCE_NANOS;
        while (!packaged) {
            step(100, until, "the switch to postcopy");
        }
    }

    /** Asks and takes the time. */
    Sample measure(Plan plan) throws IOException, BenchFailed {
        from = plan.firstPage;
        to = plan.endPage;
        long[] nanos = new long[plan.most];
        long preempted = 0;
        int count = 0;
        long start = System.nanoTime();
        long until = start + PATIENCE_NANOS;
        long end = start + TimeUnit.SECONDS.toNanos(plan.seconds);
        long before = bytes;
        while (count < plan.most && System.nanoTime() < end && to - from - received.cardinality(from, to) > plan.keep) {
            long page = pick();
            long asked = System.nanoTime();
            ask(page);
            while (awaited >= 0) {
                step(100, until, "the page that was asked for");
            }
            nanos[count++] = arrived - asked;
            preempted += byPreempt ? 1 : 0;
            long next = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(plan.pauseMillis);
            while (System.nanoTime() < next) {
                step(1, until, "the pause between two requests");
            }
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        if (count == 0) {
            throw new BenchFailed("no page was missing any more when postcopy had begun: give it more memory");
        }
        long[] sorted = java.util.Arrays.copyOf(nanos, count);
        java.util.Arrays.sort(sorted);
        return new Sample(sorted, preempted, (bytes - before) / seconds);
    }

    /** Takes the rest and confirms it, as a destination that has all. */
    void finish() throws IOException, BenchFailed {
        long until = System.nanoTime() + PATIENCE_NANOS;
        while (!ended) {
            step(100, until, "the end of the stream");
        }
        answer(new ReturnPathMessage.Shut(0));
    }

    private long pick() {
        for (int i = 0; i < 64; i++) {
            long page = random.nextLong(from, to);
            if (!received.get(page)) {
                return page;
            }
        }
        long page = received.nextClear(random.nextLong(from, to));
        return page >= 0 && page < to ? page : received.nextClear(from);
    }

    private void ask(long page) throws IOException {
        awaited = page;
        answer(new ReturnPathMessage.ReqPagesId(blocks.get(ram).name(), page << Pages.SHIFT, Pages.SIZE));
    }

    private void answer(ReturnPathMessage message) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(answers.bytes(message));
        while (out.hasRemaining()) {
            if (channels.getFirst().write(out) == 0) {
                throw new IOException("the source does not read what it is asked");
            }
        }
    }

    private void step(long millis, long until, String what) throws IOException, BenchFailed {
        if (System.nanoTime() > until) {
            throw new BenchFailed("the source did not come to " + what);
        }
        selector.select(this::ready, millis);
        if (failure != null) {
            throw new BenchFailed("the probe cannot go on: " + failure.getMessage(), failure);
        }
    }

    private void ready(SelectionKey key) {
        try {
            if (key.isAcceptable()) {
                accept();
            } else if (key.channel().equals(channels.getFirst())) {
                main();
            } else {
                urgent((SocketChannel) key.channel());
            }
        } catch (IOException | WireException e) {
            failure = e;
        }
    }

    private void accept() throws IOException {
        SocketChannel channel = server.accept();
        if (channel != null) {
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ);
            channels.add(channel);
        }
    }

    private void main() throws IOException, WireException {
        int count = channels.getFirst().read(in);
        if (count < 0) {
            if (!ended) {
                throw new IOException("the source has ended the connection");
            }
            channels.getFirst().keyFor(selector).cancel();
            return;
        }
        bytes += count;
        in.flip();
        StreamMessage message = stream.next(in);
        while (message != null) {
            take(message);
            message = stream.next(in);
        }
        in.compact();
        ended |= stream.ended();
    }

    private void urgent(SocketChannel channel) throws IOException, WireException {
        int count = channel.read(urgentIn);
        if (count < 0) {
            channel.keyFor(selector).cancel();
            return;
        }
        if (urgent == null) {
            urgent = new PreemptDecoder(blocks);
        }
        bytes += count;
        urgentIn.flip();
        StreamMessage message = urgent.next(urgentIn);
        while (message != null) {
            if (message instanceof PageRecord record) {
                page(record, true);
            }
            message = urgent.next(urgentIn);
        }
        urgentIn.compact();
    }

    private void take(StreamMessage message) throws IOException, WireException {
        switch (message) {
            case PageRecord record -> page(record, false);
            case StreamMessage.MemSize size -> adopt(size);
            case StreamMessage.Ping(int value) -> answer(new ReturnPathMessage.Pong(value));
            case StreamMessage.RamDiscard discard -> discard(discard);
            case StreamMessage.Packaged blob -> {
                for (int value : PackagedBlob.parse(blob, 0).pings()) {
                    answer(new ReturnPathMessage.Pong(value));
                }
                packaged = true;
            }
            case StreamMessage.EndOfStream _ -> ended |= packaged;
            default -> {
                // What else a source says matters to a guest, and there is none.
            }
        }
    }

    private void adopt(StreamMessage.MemSize size) {
        blocks = new BlockTable(
                size.blocks().stream().map(StreamMessage.MemSize.Block::info).toList());
        answers = new ReturnPathEncoder(blocks);
        ram = 0;
        for (int i = 1; i < blocks.size(); i++) {
            ram = blocks.get(i).pages() > blocks.get(ram).pages() ? i : ram;
        }
        received = new PageBitmap(blocks.get(ram).pages());
    }

    private void discard(StreamMessage.RamDiscard discard) {
        if (blocks.indexOf(discard.block()) == ram) {
            for (StreamMessage.Range range : discard.ranges()) {
                received.clearRange(range.start() >> Pages.SHIFT, (range.start() + range.length()) >> Pages.SHIFT);
            }
        }
    }

    private void page(PageRecord record, boolean preempt) {
        if (record.block() == ram) {
            received.set(record.page());
            if (record.page() == awaited) {
                arrived = System.nanoTime();
                awaited = -1;
                byPreempt = preempt;
            }
        }
    }

    @Override
    public void close() throws IOException {
        for (SocketChannel channel : channels) {
            channel.close();
        }
        server.close();
        selector.close();
    }
}
