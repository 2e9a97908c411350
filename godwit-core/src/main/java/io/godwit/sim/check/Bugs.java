// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import io.godwit.protocol.DestinationEffect;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.PageRule;
import io.godwit.protocol.SourceEffect;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.function.UnaryOperator;

/**
 * Where a test can put a deliberate bug around the machines, to see that the rules catch it.
 *
 * @param deafSource what the source does not get to hear, in which state
 * @param deafDestination what the destination does not get to hear, in which state
 * @param sourceEffects what is done instead of an effect; the state is the one it leads to
 * @param destinationEffects the same at the destination
 * @param pages what the destination does with a page instead
 */
record Bugs(
        BiPredicate<SourceState, SourceInput> deafSource,
        BiPredicate<DestinationState, DestinationInput> deafDestination,
        BiFunction<SourceState, SourceEffect, List<SourceEffect>> sourceEffects,
        BiFunction<DestinationState, DestinationEffect, List<DestinationEffect>> destinationEffects,
        UnaryOperator<PageRule> pages) {

    /** None but those that are in the code. */
    static final Bugs NONE = new Bugs(
            (state, input) -> false,
            (state, input) -> false,
            (state, effect) -> List.of(effect),
            (state, effect) -> List.of(effect),
            UnaryOperator.identity());

    Bugs withDeafSource(BiPredicate<SourceState, SourceInput> deaf) {
        return new Bugs(deaf, deafDestination, sourceEffects, destinationEffects, pages);
    }

    Bugs withDeafDestination(BiPredicate<DestinationState, DestinationInput> deaf) {
        return new Bugs(deafSource, deaf, sourceEffects, destinationEffects, pages);
    }

    Bugs withSourceEffects(BiFunction<SourceState, SourceEffect, List<SourceEffect>> effects) {
        return new Bugs(deafSource, deafDestination, effects, destinationEffects, pages);
    }

    Bugs withDestinationEffects(BiFunction<DestinationState, DestinationEffect, List<DestinationEffect>> effects) {
        return new Bugs(deafSource, deafDestination, sourceEffects, effects, pages);
    }

    Bugs withPages(UnaryOperator<PageRule> rule) {
        return new Bugs(deafSource, deafDestination, sourceEffects, destinationEffects, rule);
    }
}
