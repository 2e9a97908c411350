// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.page.PageBitmap;
import io.godwit.pump.Arrival;
import io.godwit.pump.IncomingGuest;
import io.godwit.pump.MachineState;
import io.godwit.pump.MissingPages;
import io.godwit.pump.PageSink;
import io.godwit.wire.StreamMessage;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What the destination's migration brings its guest to: one that runs there and answers at once, or a parked one behind a {@link SimStorage}, which hears of its memory from the
 * source only.
 */
final class SimIncoming implements IncomingGuest {
    private final World world;
    private final SimMemory memory;
    private final PageSink sink;
    private final BiConsumer<String, Runnable> events;
    private final @Nullable PageBitmap[] sure;
    private int failingLoads;
    private boolean known;
    private boolean runs;

    /**
     * @param sink the memory as the destination sees it
     * @param events lets something happen at the destination, with what is to be told of it
     */
    SimIncoming(World world, SimMemory memory, PageSink sink, int failingLoads, BiConsumer<String, Runnable> events) {
        this.world = world;
        this.memory = memory;
        this.sink = world.disk().sink(sink);
        this.failingLoads = failingLoads;
        this.events = events;
        this.known = !world.disk().there();
        this.sure = new PageBitmap[memory.blocks().size()];
    }

    /** Whether the guest that has come ran at its source, and shall run. */
    boolean runs() {
        return runs && !world.disk().there();
    }

    /**
     * Whether the device state is on disk.
     *
     * @param everything and every page
     */
    boolean sure(boolean everything) {
        for (PageBitmap pages : sure) {
            if (pages == null || (everything && pages.nextClear(0) >= 0)) {
                return !world.disk().there();
            }
        }
        return true;
    }

    @Override
    public @Nullable String unfit(StreamMessage.Configuration configuration) {
        return configuration.machine().equals(world.setup().machine()) ? null : "machine " + configuration.machine();
    }

    @Override
    public @Nullable String adopt(Arrival arrival) {
        known = true;
        return null;
    }

    @Override
    public PageSink memory() {
        return sink;
    }

    @Override
    public boolean known() {
        return known;
    }

    @Override
    public MissingPages missingPages() {
        return memory;
    }

    @Override
    public void reset() {
        memory.reset();
    }

    @Override
    public void load(MachineState state, boolean postcopy, boolean confirmed, Answer answer) {
        if (failingLoads > 0) {
            failingLoads--;
            answer.failed("the simulated device refuses its state", false);
            return;
        }
        runs = world.devices().load(state.all());
        work("the device state", answer);
    }

    @Override
    public void finish(boolean confirmed, Answer answer) {
        work("the last pages", answer);
    }

    @Override
    public void mend(Answer answer) {
        if (!world.disk().there()) {
            answer.done();
            return;
        }
        world.disk()
                .work(
                        () -> events.accept("the disk is well, what was not sure is forgotten", () -> {
                            memory.keepOnly(sure);
                            world.forgotten();
                            answer.done();
                        }),
                        () -> events.accept(
                                "the disk is not well yet", () -> answer.failed("the disk is not well", true)));
    }

    private void work(String what, Answer answer) {
        if (!world.disk().there()) {
            answer.done();
            return;
        }
        world.disk()
                .work(
                        () -> events.accept(what + " is on disk", () -> {
                            for (int block = 0; block < sure.length; block++) {
                                sure[block] = memory.received(block).copy();
                            }
                            answer.done();
                        }),
                        () -> events.accept(
                                what + " cannot be written", () -> answer.failed("no room for " + what, true)));
    }
}
