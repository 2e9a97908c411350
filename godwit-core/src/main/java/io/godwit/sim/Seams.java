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
        return new Seams(
                other,
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

    Seams withSink(UnaryOperator<PageSink> other) {
        return new Seams(
                pages,
                other,
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

    Seams withSourceHost(UnaryOperator<SourceHost> other) {
        return new Seams(
                pages,
                sink,
                other,
                destinationHost,
                incoming,
                parked,
                disk,
                deafSource,
                deafDestination,
                refusals,
                restless);
    }

    Seams withDestinationHost(UnaryOperator<DestinationHost> other) {
        return new Seams(
                pages,
                sink,
                sourceHost,
                other,
                incoming,
                parked,
                disk,
                deafSource,
                deafDestination,
                refusals,
                restless);
    }

    Seams withIncoming(UnaryOperator<IncomingGuest> other) {
        return new Seams(
                pages,
                sink,
                sourceHost,
                destinationHost,
                other,
                parked,
                disk,
                deafSource,
                deafDestination,
                refusals,
                restless);
    }

    Seams withParked(UnaryOperator<ParkedGuest> other) {
        return new Seams(
                pages,
                sink,
                sourceHost,
                destinationHost,
                incoming,
                other,
                disk,
                deafSource,
                deafDestination,
                refusals,
                restless);
    }

    Seams withDisk(UnaryOperator<Disk> other) {
        return new Seams(
                pages,
                sink,
                sourceHost,
                destinationHost,
                incoming,
                parked,
                other,
                deafSource,
                deafDestination,
                refusals,
                restless);
    }

    Seams withDeafSource(BiPredicate<SourceState, SourceInput> other) {
        return new Seams(
                pages,
                sink,
                sourceHost,
                destinationHost,
                incoming,
                parked,
                disk,
                other,
                deafDestination,
                refusals,
                restless);
    }

    Seams withDeafDestination(BiPredicate<DestinationState, DestinationInput> other) {
        return new Seams(
                pages,
                sink,
                sourceHost,
                destinationHost,
                incoming,
                parked,
                disk,
                deafSource,
                other,
                refusals,
                restless);
    }

    Seams withRefusals(UnaryOperator<String> other) {
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
                other,
                restless);
    }

    Seams withRestless(Predicate<SourceState> other) {
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
                other);
    }
}
