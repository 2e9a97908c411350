// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.sys.MappedMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The RAM of one guest: its blocks, what is missing of them and who waits for it. The guest touches it through {@link RamBlock}, a
 * migration sends it through {@link #asSource} or fills it through {@link #asSink}. No raw address and no memory segment leaves this package.
 *
 * <p>Thread-safe but for what {@link PageSource} and {@link PageSink} say of themselves, and {@link #close}: whoever touches the memory after that gets an
 * {@link IllegalStateException}.
 */
public final class GuestMemory implements AutoCloseable {
    private final BlockTable table;
    private final RamBlock[] blocks;
    private final Arena arena;
    private final PageRequests requests;
    private final Waiters waiters = new Waiters();
    private final RamSource source;
    private final RamSink sink;

    @SuppressWarnings("MustBeClosedChecker") // closed by close()
    private GuestMemory(BlockTable table, List<MappedMemory> mapped) {
        this.table = table;
        this.arena = Arena.ofShared();
        PageBitmap[] received = new PageBitmap[table.size()];
        blocks = new RamBlock[table.size()];
        for (int i = 0; i < blocks.length; i++) {
            BlockInfo info = table.get(i);
            received[i] = new PageBitmap(info.pages());
            blocks[i] = new RamBlock(i, info, mapped.get(i), arena, received[i], this::await);
        }
        requests = new PageRequests(table, received);
        source = new RamSource(table, blocks);
        sink = new RamSink(table, blocks, requests, waiters);
    }

    /**
     * Makes the memory. It holds zeroes and takes no room before it is touched, but a size that this host cannot hold now is refused here, since later
     * the kernel would kill the process.
     *
     * @throws IOException with a sentence that names the block and the sizes
     */
    public static GuestMemory allocate(List<BlockInfo> infos, Backing backing) throws IOException {
        BlockTable table = new BlockTable(infos);
        MemoryBudget.ofThisHost().require(infos);
        List<MappedMemory> mapped = new ArrayList<>();
        try {
            for (BlockInfo info : infos) {
                mapped.add(
                        switch (backing) {
                            case ANONYMOUS -> MappedMemory.anonymous(info.name(), info.usedLength());
                            case MEMFD -> MappedMemory.memfd(info.name(), info.usedLength());
                        });
            }
            return new GuestMemory(table, mapped);
        } catch (IOException | RuntimeException | Error e) {
            mapped.forEach(MappedMemory::close);
            throw e;
        }
    }

    public BlockTable blocks() {
        return table;
    }

    /** The block at an index of the block table. */
    public RamBlock block(int index) {
        return blocks[index];
    }

    /** The block of that name; an unknown one is an {@link IllegalArgumentException}. */
    public RamBlock block(String name) {
        int index = table.indexOf(name);
        if (index < 0) {
            throw new IllegalArgumentException("this guest has no RAM block '" + name + "'");
        }
        return blocks[index];
    }

    public PageSource asSource() {
        return source;
    }

    public PageSink asSink() {
        return sink;
    }

    /** The missing pages that somebody waits for. */
    public PageRequests requests() {
        return requests;
    }

    /** From a guest's touch of a missing page to the page in place, one entry per wait that ended with its page. */
    public LatencyHistogram waits() {
        return waiters.latencies();
    }

    /** Nanoseconds in which at least one guest thread waited for a missing page, counted once however many did; a wait that lasts is included. */
    public long blockedNanos() {
        return waiters.waitedNanos();
    }

    /** How many guest threads wait for a missing page now. */
    public int blockedThreads() {
        return waiters.blocked();
    }

    /** Pages that came after they were there already and were dropped. */
    public long duplicates() {
        return sink.duplicates();
    }

    /** Pages that are not there yet; 0 before postcopy, and again once all have come. */
    public long missingPages() {
        return sink.missing();
    }

    /** Whether {@link PageSink#beginPostcopy} was called. */
    public boolean isPostcopy() {
        return sink.isPostcopy();
    }

    /** Whether the guest can read the page without waiting. */
    public boolean isPresent(int block, long page) {
        return !sink.isPostcopy() || blocks[block].received().get(page);
    }

    /** The guest is asked to stop: accessors that wait for a missing page, or would, throw {@link GuestStopRequested}. */
    public void stopWaiting() {
        waiters.stop();
    }

    /** The guest may wait for missing pages again; before its threads start. */
    public void allowWaiting() {
        waiters.allow();
    }

    /** XXH64 (seed 0) of a page's bytes as they are now; does not wait. */
    public long checksum(int block, long page) {
        long offset = page << Pages.SHIFT;
        return XxHash64.hash(blocks[block].ram(), offset, Pages.SIZE, 0);
    }

    /**
     * Writes guest-physical memory to a new file, as QMP's pmemsave does: the blocks lie one after the other from address 0. A running guest goes on writing
     * meanwhile.
     *
     * @param address first byte
     * @param size number of bytes, positive
     * @throws IllegalArgumentException if the range is not within the memory
     * @throws IllegalStateException if a page in the range is not there yet
     */
    public void writeTo(Path file, long address, long size) throws IOException {
        new MemoryImage(this).write(file, address, size);
    }

    private void await(int block, long page) {
        waiters.await(block, page, blocks[block].received()::get, requests);
    }

    /** Frees the memory. No guest thread and no migration may use it any more. */
    @Override
    public void close() {
        for (RamBlock block : blocks) {
            block.mapped().close();
        }
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
