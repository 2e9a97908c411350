// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.sys.MappedMemory;
import io.godwit.sys.SystemCallException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A guest's memory of one page, put together as {@link GuestMemory} does it; the page itself is used again by later ones, because mapping one for each try would take all the time.
 */
final class OnePage {
    private static final BlockTable BLOCKS = new BlockTable(List.of(BlockInfo.of("ram", Pages.SIZE)));
    private static final ConcurrentLinkedQueue<MappedMemory> SPARE = new ConcurrentLinkedQueue<>();

    final PageBitmap received = new PageBitmap(1);
    final PageRequests requests = new PageRequests(BLOCKS, new PageBitmap[] {received});
    final Waiters waiters = new Waiters();
    final RamBlock block;
    final RamSink sink;
    final RamSource source;
    private final MappedMemory mapped;

    OnePage() {
        mapped = memory();
        block = new RamBlock(
                0,
                BLOCKS.get(0),
                mapped,
                new HeapArena(),
                received,
                (index, page) -> waiters.await(index, page, received::get, requests));
        RamBlock[] blocks = {block};
        sink = new RamSink(BLOCKS, blocks, requests, waiters);
        source = new RamSource(BLOCKS, blocks);
    }

    private static MappedMemory memory() {
        MappedMemory spare = SPARE.poll();
        try {
            return spare == null ? MappedMemory.anonymous("ram", Pages.SIZE) : spare;
        } catch (SystemCallException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Nobody uses it any more. */
    void release() {
        mapped.segment().fill((byte) 0);
        SPARE.add(mapped);
    }

    /** A page full of one number, as it comes from a channel. */
    static ByteBuffer full(long word) {
        ByteBuffer page = ByteBuffer.allocate(Pages.SIZE).order(ByteOrder.LITTLE_ENDIAN);
        while (page.hasRemaining()) {
            page.putLong(word);
        }
        return page.flip();
    }

    /** Memory that the collector takes back: an arena per try that somebody has to close would take all the time, too. */
    private record HeapArena() implements Arena {
        @Override
        public MemorySegment allocate(long bytes, long alignment) {
            return MemorySegment.ofArray(new long[(int) (bytes >>> 3)]);
        }

        @Override
        public MemorySegment.Scope scope() {
            return MemorySegment.ofArray(new long[0]).scope();
        }

        @Override
        public void close() {}
    }
}
