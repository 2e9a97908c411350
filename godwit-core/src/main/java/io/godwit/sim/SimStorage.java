// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.pump.StorageException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/**
 * The disk that keeps the memories of a world whose guest is parked: it takes its time, and fails now and then until somebody sees to it. What was written is sure only
 * after a sync. There is none in a world with embedded guests: then every work is done at once.
 */
final class SimStorage {
    /**
     * @param there whether the destination parks the guest, and the source has it parked
     * @param trouble one in so many works fails, and one in twenty times as many pages; 0 for none
     * @param slowest nanoseconds that a work may take
     */
    record Quality(boolean there, int trouble, long slowest) {
        static final Quality NONE = new Quality(false, 0, 0);
        static final Quality GOOD = new Quality(true, 0, 1_000_000);

        static Quality random(SplittableRandom random) {
            return random.nextInt(3) > 0
                    ? NONE
                    : new Quality(true, random.nextInt(2) * (2 + random.nextInt(6)), 1_000_000L << random.nextInt(10));
        }
    }

    private static final int PAGES_PER_WORK = 20;

    private final Quality quality;
    private final SplittableRandom random;
    private final FaultLog faults;
    private final EventQueue queue;
    private boolean well;

    SimStorage(Quality quality, SplittableRandom random, EventQueue queue, FaultLog faults) {
        this.faults = faults;
        this.quality = quality;
        this.random = random;
        this.queue = queue;
        this.well = quality.trouble() == 0;
    }

    boolean there() {
        return quality.there();
    }

    /** Somebody has seen to it. */
    void heal() {
        well = true;
    }

    /** Does the work, later and for good or not. */
    void work(Runnable done, Runnable failed) {
        boolean fails = !well && random.nextInt(quality.trouble()) == 0;
        if (fails) {
            faults.add(FaultKind.DISK, "a work");
        }
        queue.after(random.nextLong(1 + quality.slowest()), fails ? failed : done);
    }

    private void touch(String what) {
        if (!well && random.nextInt(quality.trouble() * PAGES_PER_WORK) == 0) {
            faults.add(FaultKind.DISK, "a page");
            throw new StorageException("the simulated disk cannot " + what + " a page");
        }
    }

    /** The memory behind this disk. */
    PageSource source(PageSource memory) {
        return there() ? new Kept(memory) : memory;
    }

    /** The memory behind this disk. */
    PageSink sink(PageSink memory) {
        return there() ? new Keeping(memory) : memory;
    }

    private final class Kept implements PageSource {
        private final PageSource memory;

        Kept(PageSource memory) {
            this.memory = memory;
        }

        @Override
        public BlockTable blocks() {
            return memory.blocks();
        }

        @Override
        public void trackDirty(boolean on) {
            memory.trackDirty(on);
        }

        @Override
        public long harvestDirty(int block, PageBitmap dirty) {
            return memory.harvestDirty(block, dirty);
        }

        @Override
        public boolean isZero(int block, long page) {
            return memory.isZero(block, page);
        }

        @Override
        public void read(int block, long page, ByteBuffer out) {
            touch("read");
            memory.read(block, page, out);
        }
    }

    private final class Keeping implements PageSink {
        private final PageSink memory;

        Keeping(PageSink memory) {
            this.memory = memory;
        }

        @Override
        public BlockTable blocks() {
            return memory.blocks();
        }

        @Override
        public PageBitmap received(int block) {
            return memory.received(block);
        }

        @Override
        public void store(int block, long page, ByteBuffer in, int position) {
            touch("write");
            memory.store(block, page, in, position);
        }

        @Override
        public void storeZero(int block, long page) {
            touch("write");
            memory.storeZero(block, page);
        }

        @Override
        public void read(int block, long page, ByteBuffer out) {
            touch("read");
            memory.read(block, page, out);
        }

        @Override
        public void discard(int block, long firstPage, long count) {
            touch("discard");
            memory.discard(block, firstPage, count);
        }

        @Override
        public void beginPostcopy() {
            memory.beginPostcopy();
        }

        @Override
        public boolean place(int block, long page, ByteBuffer in, int position) {
            touch("write");
            return memory.place(block, page, in, position);
        }

        @Override
        public boolean placeZero(int block, long page) {
            touch("write");
            return memory.placeZero(block, page);
        }

        @Override
        public void reset() {
            memory.reset();
        }
    }
}
