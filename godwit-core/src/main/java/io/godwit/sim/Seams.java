// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import io.godwit.pump.DestinationHost;
import io.godwit.pump.IncomingGuest;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.pump.SourceHost;
import java.util.function.BiPredicate;
import java.util.function.UnaryOperator;

/**
 * Where a test can put a deliberate bug between the code and its world, to see that the invariants catch it.
 *
 * @param pages what the source takes for its memory
 * @param sink what the destination takes for its memory
 * @param sourceHost what the source takes for its world
 * @param destinationHost what the destination takes for its world
 * @param incoming what the destination takes for its guest
 * @param deafSource what the source does not get to hear, in which state
 * @param deafDestination what the destination does not get to hear, in which state
 */
record Seams(
        UnaryOperator<PageSource> pages,
        UnaryOperator<PageSink> sink,
        UnaryOperator<SourceHost> sourceHost,
        UnaryOperator<DestinationHost> destinationHost,
        UnaryOperator<IncomingGuest> incoming,
        BiPredicate<SourceState, SourceInput> deafSource,
        BiPredicate<DestinationState, DestinationInput> deafDestination) {

    /** No bug but those that are in the code. */
    static final Seams NONE = new Seams(
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            UnaryOperator.identity(),
            (state, input) -> false,
            (state, input) -> false);

    Seams withPages(UnaryOperator<PageSource> wrapper) {
        return new Seams(wrapper, sink, sourceHost, destinationHost, incoming, deafSource, deafDestination);
    }

    Seams withSink(UnaryOperator<PageSink> wrapper) {
        return new Seams(pages, wrapper, sourceHost, destinationHost, incoming, deafSource, deafDestination);
    }

    Seams withSourceHost(UnaryOperator<SourceHost> wrapper) {
        return new Seams(pages, sink, wrapper, destinationHost, incoming, deafSource, deafDestination);
    }

    Seams withDestinationHost(UnaryOperator<DestinationHost> wrapper) {
        return new Seams(pages, sink, sourceHost, wrapper, incoming, deafSource, deafDestination);
    }

    Seams withIncoming(UnaryOperator<IncomingGuest> wrapper) {
        return new Seams(pages, sink, sourceHost, destinationHost, wrapper, deafSource, deafDestination);
    }

    Seams withDeafSource(BiPredicate<SourceState, SourceInput> deaf) {
        return new Seams(pages, sink, sourceHost, destinationHost, incoming, deaf, deafDestination);
    }

    Seams withDeafDestination(BiPredicate<DestinationState, DestinationInput> deaf) {
        return new Seams(pages, sink, sourceHost, destinationHost, incoming, deafSource, deaf);
    }
}
