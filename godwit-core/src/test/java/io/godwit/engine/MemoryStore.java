// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.guest.DiskWorks;
import io.godwit.guest.ParkedGuest;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.page.ZeroPage;
import io.godwit.pump.Arrival;
import io.godwit.pump.Departure;
import io.godwit.pump.MachineState;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.pump.StorageException;
import io.godwit.pump.StreamIdentity;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A parked guest in arrays. What would be on disk after the process was killed is kept apart, {@link #restarted} begins with that.
 */
final class MemoryStore extends Stepwise implements ParkedGuest {
    /** What a killed process leaves. */
    @SuppressWarnings("ArrayRecordComponent") // handed on as it is, never compared
    private record Durable(
            Phase phase,
            @Nullable StreamIdentity identity,
            @Nullable BlockTable blocks,
            byte[][] ram,
            PageBitmap[] received,
            @Nullable MachineState state) {}

    private static final Durable EMPTY = new Durable(new Empty(), null, null, new byte[0][], new PageBitmap[0], null);

    private volatile Durable durable;
    private volatile Phase phase;
    private volatile @Nullable StreamIdentity identity;
    private volatile @Nullable BlockTable blocks;
    private volatile byte[][] ram;
    private volatile PageBitmap[] received;
    private volatile @Nullable MachineState state;
    private volatile boolean confirmed;
    private volatile boolean postcopy;
    private volatile boolean keepsAll;
    private volatile boolean checkpointsLate;
    /** A sync has failed, and nobody has gone back to what is sure. */
    private volatile boolean doubtful;

    /** A parking that fails may be on disk all the same. */
    private volatile boolean leavesDoubt;

    private volatile boolean undecided;
    private volatile long damagedPage = -1;

    MemoryStore() {
        this(EMPTY);
    }

    private MemoryStore(Durable durable) {
        this.durable = durable;
        this.phase = durable.phase;
        this.identity = durable.identity;
        this.blocks = durable.blocks;
        this.ram = copy(durable.ram);
        this.received = copy(durable.received);
        this.state = durable.state;
        this.postcopy = durable.phase instanceof Interrupted;
    }

    /** As a new process finds it. */
    MemoryStore restarted() {
        return new MemoryStore(durable);
    }

    /** Whatever became of it, it is parked here: the destination of the copy is another. */
    MemoryStore asParked() {
        return new MemoryStore(new Durable(
                new Parked(), durable.identity, durable.blocks, durable.ram, durable.received, durable.state));
    }

    private static byte[][] copy(byte[][] ram) {
        return Arrays.stream(ram).map(byte[]::clone).toArray(byte[][]::new);
    }

    private static PageBitmap[] copy(PageBitmap[] bitmaps) {
        return Arrays.stream(bitmaps).map(PageBitmap::copy).toArray(PageBitmap[]::new);
    }

    void damage(long page) {
        damagedPage = page;
    }

    /** From now on nothing of what was received is ever uncertain. */
    void keepsAll() {
        keepsAll = true;
    }

    /** Checkpoints come too late from now on: what has come since the switch is sure with the VM as a whole only. */
    void checkpointsLate() {
        checkpointsLate = true;
    }

    /** From now on a parking that fails may be on disk all the same. */
    void leavesDoubt() {
        leavesDoubt = true;
    }

    boolean confirmed() {
        return confirmed;
    }

    byte[] ram(String block) {
        return ram[blocks().indexOf(block)];
    }

    private BlockTable blocks() {
        return Objects.requireNonNull(blocks);
    }

    @Override
    void failed(Step step) {
        doubtful |= step == Step.PARK || step == Step.CHECKPOINT;
        undecided |= step == Step.PARK && leavesDoubt;
    }

    private void sync() {
        durable = new Durable(phase, identity, blocks, copy(ram), copy(received), state);
    }

    @Override
    public Phase phase() {
        return phase;
    }

    @Override
    public @Nullable String receive(Arrival arrival, DiskWorks works) {
        step(Step.RECEIVE);
        identity = arrival.identity();
        BlockTable table = new BlockTable(arrival.blocks());
        blocks = table;
        ram = new byte[table.size()][];
        received = new PageBitmap[table.size()];
        for (int i = 0; i < table.size(); i++) {
            ram[i] = new byte[(int) table.get(i).usedLength()];
            received[i] = new PageBitmap(table.get(i).pages());
        }
        return null;
    }

    @Override
    public PageSink sink(DiskWorks works) {
        return new Sink();
    }

    @Override
    public void reset() {
        note("reset");
        for (PageBitmap bitmap : received) {
            bitmap.clearAll();
        }
    }

    @Override
    public void handOver(MachineState devices) {
        step(Step.HAND_OVER);
        state = devices;
        postcopy = true;
        phase = new Interrupted(Objects.requireNonNull(identity), blocks());
        sync();
    }

    @Override
    public void checkpoint() {
        step(Step.CHECKPOINT);
        if (doubtful) {
            throw new StorageException("a sync has failed");
        }
        if (!checkpointsLate) {
            sync();
        }
    }

    @Override
    public void mend() {
        step(Step.MEND);
        doubtful = false;
        for (int block = 0; !keepsAll && block < received.length; block++) {
            PageBitmap sure = durable.received[block];
            for (int w = 0; w < sure.wordCount(); w++) {
                received[block].setWord(w, sure.word(w));
            }
        }
    }

    @Override
    public void park(@Nullable MachineState devices, boolean sure) {
        step(Step.PARK);
        if (devices != null) {
            state = devices;
        }
        confirmed = sure;
        phase = new Parked();
        sync();
    }

    @Override
    public boolean undecided() {
        return undecided;
    }

    @Override
    public void settle() {
        step(Step.SETTLE);
        undecided = false;
    }

    @Override
    public @Nullable String whyNotLeave() {
        return phase instanceof Parked ? null : "it is not parked: " + phase;
    }

    @Override
    public StreamIdentity identity() {
        return Objects.requireNonNull(identity);
    }

    @Override
    public PageSource source(DiskWorks works) {
        return new Source();
    }

    @Override
    public MachineState state() {
        return Objects.requireNonNull(state);
    }

    @Override
    public void leave(Departure departure) {
        step(Step.LEAVE);
        phase = new Leaving(departure);
        sync();
    }

    @Override
    public void stay() {
        step(Step.STAY);
        phase = new Parked();
        sync();
    }

    @Override
    public void gone() {
        step(Step.GONE);
        phase = new Empty();
        sync();
    }

    @Override
    public void close() {
        note("closed");
    }

    private final class Sink implements PageSink {
        @Override
        public BlockTable blocks() {
            return MemoryStore.this.blocks();
        }

        @Override
        public PageBitmap received(int block) {
            return received[block];
        }

        @Override
        public void store(int block, long page, ByteBuffer in, int position) {
            step(Step.WRITE);
            in.get(position, ram[block], (int) page << Pages.SHIFT, Pages.SIZE);
            received[block].set(page);
        }

        @Override
        public void storeZero(int block, long page) {
            step(Step.WRITE);
            int at = (int) page << Pages.SHIFT;
            Arrays.fill(ram[block], at, at + Pages.SIZE, (byte) 0);
            received[block].set(page);
        }

        @Override
        public void read(int block, long page, ByteBuffer out) {
            out.put(ram[block], (int) page << Pages.SHIFT, Pages.SIZE);
        }

        @Override
        public void discard(int block, long firstPage, long count) {
            received[block].clearRange(firstPage, firstPage + count);
        }

        @Override
        public void beginPostcopy() {
            if (!postcopy) {
                throw new IllegalStateException("handOver has begun it");
            }
        }

        @Override
        public boolean place(int block, long page, ByteBuffer in, int position) {
            if (received[block].get(page)) {
                return false;
            }
            store(block, page, in, position);
            return true;
        }

        @Override
        public boolean placeZero(int block, long page) {
            if (received[block].get(page)) {
                return false;
            }
            storeZero(block, page);
            return true;
        }

        @Override
        public void reset() {
            throw new IllegalStateException("asked of the guest itself");
        }
    }

    private final class Source implements PageSource {
        @Override
        public BlockTable blocks() {
            return MemoryStore.this.blocks();
        }

        @Override
        public void trackDirty(boolean on) {}

        @Override
        public long harvestDirty(int block, PageBitmap dirty) {
            return 0;
        }

        @Override
        public boolean isZero(int block, long page) {
            return ZeroPage.isZero(MemorySegment.ofArray(ram[block]), page << Pages.SHIFT);
        }

        @Override
        public void read(int block, long page, ByteBuffer out) {
            if (page == damagedPage) {
                throw new StorageException("page " + page + " is damaged");
            }
            step(Step.READ);
            out.put(ram[block], (int) page << Pages.SHIFT, Pages.SIZE);
        }
    }
}
