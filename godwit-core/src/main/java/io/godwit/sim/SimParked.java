// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.guest.ParkedArrival;
import io.godwit.page.PageBitmap;
import io.godwit.protocol.DestinationState;
import io.godwit.pump.Arrival;
import io.godwit.pump.IncomingGuest;
import io.godwit.pump.MachineState;
import io.godwit.pump.MissingPages;
import io.godwit.pump.PageSink;
import io.godwit.wire.StreamMessage;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** What a destination that parks its guest is brought: the real way into the real store, with notes of what has come. One for each process. */
final class SimParked implements IncomingGuest {
    private final World world;
    private final SimMemory notes;
    private final UnaryOperator<PageSink> wrapper;
    private final ParkedArrival arrival;
    private @Nullable Mirror mirror;
    private @Nullable PageSink sink;

    /**
     * @param notes takes what the store takes
     * @param wrapper around the memory as the destination sees it
     */
    SimParked(World world, SimStore store, SimMemory notes, UnaryOperator<PageSink> wrapper) {
        this.world = world;
        this.notes = notes;
        this.wrapper = wrapper;
        this.arrival = new ParkedArrival(
                store.guest(),
                false,
                world.setup().keeping().checkpointNanos(),
                store,
                text -> world.trace().event("destination", "notice: " + text));
    }

    void paused() {
        arrival.paused();
    }

    void receiving(boolean postcopy, long now) {
        arrival.receiving(postcopy, now);
    }

    /** After a work: what the store has taken back is not noted any more. Only a mending may take something back. */
    void compare(DestinationState state) {
        Mirror open = mirror;
        if (open == null) {
            return;
        }
        PageBitmap[] received = new PageBitmap[notes.blocks().size()];
        boolean less = false;
        boolean more = false;
        for (int block = 0; block < received.length; block++) {
            received[block] = open.received(block);
            for (int w = 0; w < received[block].wordCount(); w++) {
                less |= (notes.received(block).word(w) & ~received[block].word(w)) != 0;
                more |= (received[block].word(w) & ~notes.received(block).word(w)) != 0;
            }
        }
        if (more) {
            throw new Violation("the store claims pages that have not come, in " + state);
        }
        if (less && !(state instanceof DestinationState.Mending)) {
            throw new Violation("the store has fewer received pages than before, in " + state);
        }
        if (less) {
            notes.keepOnly(received);
            world.forgotten();
        }
    }

    @Override
    public @Nullable String unfit(StreamMessage.Configuration configuration) {
        return arrival.unfit(configuration);
    }

    @Override
    public @Nullable String adopt(Arrival coming) {
        String wrong = arrival.adopt(coming);
        if (wrong == null) {
            notes.begin();
            world.forgotten();
        }
        return wrong;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // the very sink that was wrapped
    public PageSink memory() {
        PageSink real = arrival.memory();
        Mirror open = mirror;
        PageSink seen = sink;
        if (open == null || seen == null || open.store() != real) {
            open = new Mirror(real, notes);
            mirror = open;
            seen = wrapper.apply(open);
            sink = seen;
        }
        return seen;
    }

    @Override
    public boolean known() {
        return arrival.known();
    }

    @Override
    public MissingPages missingPages() {
        return arrival.missingPages();
    }

    @Override
    public void reset() {
        if (arrival.known()) {
            // Also if its disk does not let go of everything: nothing of it counts.
            mirror = null;
            notes.begin();
            world.forgotten();
        }
        arrival.reset();
    }

    @Override
    public void load(MachineState state, boolean postcopy, boolean confirmed, Answer answer) {
        arrival.load(state, postcopy, confirmed, answer);
    }

    @Override
    public void finish(boolean confirmed, Answer answer) {
        arrival.finish(confirmed, answer);
    }

    @Override
    public void mend(Answer answer) {
        arrival.mend(answer);
    }
}
