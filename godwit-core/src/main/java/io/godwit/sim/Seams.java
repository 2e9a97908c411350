// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.guest.ParkedGuest;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import io.godwit.pump.DestinationHost;
import io.godwit.pump.IncomingGuest;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.pump.SourceHost;
import io.godwit.store.Disk;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * Where a test can put a deliberate bug between the code and its world, to see that the invariants catch it.
 *
 * @param pages what the source takes for its memory
 * @param sink what the destination takes for its memory
 * @param sourceHost what the source takes for its world
 * @param destinationHost what the destination takes for its world
 * @param incoming what the destination takes for its guest
 * @param parked what either end takes for its parked guest
 * @param disk what a store takes for its disk
 * @param deafSource what the source does not get to hear, in which state
 * @param deafDestination what the destination does not get to hear, in which state
 * @param refusals what an operator hears for a sentence
 * @param restless in which state the source wants to be called again at once, always
 */
record Seams(
        UnaryOperator<PageSource> pages,
        UnaryOperator<PageSink> sink,
        UnaryOperator<SourceHost> sourceHost,
        UnaryOperator<DestinationHost> destinationHost,
        UnaryOperator<IncomingGuest> incoming,
        UnaryOperator<ParkedGuest> parked,
        UnaryOperator<Disk> disk,
        BiPredicate<SourceState, SourceInput> deafSource,
        BiPredicate<DestinationState, DestinationInput> deafDestination,
        UnaryOperator<String> refusals,
        Predicate<SourceState> restless) {

    /** No bug but those that are in the code. */
    static final Seams NONE = new Seams(
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            (state, input) -> false,
            (state, input) -> false,
            UnaryOperator.identity(),
            state -> false);

    Seams withPages(UnaryOperator<PageSource> other) {
        return with(draft -> draft.pages = other);
    }

    Seams withSink(UnaryOperator<PageSink> other) {
        return with(draft -> draft.sink = other);
    }

    Seams withSourceHost(UnaryOperator<SourceHost> other) {
        return with(draft -> draft.sourceHost = other);
    }

    Seams withDestinationHost(UnaryOperator<DestinationHost> other) {
        return with(draft -> draft.destinationHost = other);
    }

    Seams withIncoming(UnaryOperator<IncomingGuest> other) {
        return with(draft -> draft.incoming = other);
    }

    Seams withParked(UnaryOperator<ParkedGuest> other) {
        return with(draft -> draft.parked = other);
    }

    Seams withDisk(UnaryOperator<Disk> other) {
        return with(draft -> draft.disk = other);
    }

    Seams withDeafSource(BiPredicate<SourceState, SourceInput> other) {
        return with(draft -> draft.deafSource = other);
    }

    Seams withDeafDestination(BiPredicate<DestinationState, DestinationInput> other) {
        return with(draft -> draft.deafDestination = other);
    }

    Seams withRefusals(UnaryOperator<String> other) {
        return with(draft -> draft.refusals = other);
    }

    Seams withRestless(Predicate<SourceState> other) {
        return with(draft -> draft.restless = other);
    }

    private Seams with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.seams();
    }

    /** All seams, to be changed: the one place that lists them twice. */
    private static final class Draft {
        private UnaryOperator<PageSource> pages;
        private UnaryOperator<PageSink> sink;
        private UnaryOperator<SourceHost> sourceHost;
        private UnaryOperator<DestinationHost> destinationHost;
        private UnaryOperator<IncomingGuest> incoming;
        private UnaryOperator<ParkedGuest> parked;
        private UnaryOperator<Disk> disk;
        private BiPredicate<SourceState, SourceInput> deafSource;
        private BiPredicate<DestinationState, DestinationInput> deafDestination;
        private UnaryOperator<String> refusals;
        private Predicate<SourceState> restless;

        Draft(Seams from) {
            pages = from.pages;
            sink = from.sink;
            sourceHost = from.sourceHost;
            destinationHost = from.destinationHost;
            incoming = from.incoming;
            parked = from.parked;
            disk = from.disk;
            deafSource = from.deafSource;
            deafDestination = from.deafDestination;
            refusals = from.refusals;
            restless = from.restless;
        }

        Seams seams() {
            return new Seams(
                    pages,
                    sink,
                    sourceHost,
                    destinationHost,
                    incoming,
                    parked,
                    disk,
                    deafSource,
                    deafDestination,
                    refusals,
                    restless);
        }
    }
}
