// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import io.godwit.protocol.DestinationState;
import io.godwit.protocol.SourceState;

/** Where an exploration begins: with nothing, or with a postcopy that was cut in the middle. */
final class Prelude {
    private Prelude() {}

    static Scene of(CheckWorld world, Moves moves) {
        Scene first = moves.first(world.paused() ? 1 : world.failures());
        if (!world.paused()) {
            return first;
        }
        Scene paused = paused(first, moves);
        paused.failuresLeft = world.failures();
        return paused;
    }

    /** The nearest state in which both ends are paused, some pages are there and some are not. */
    private static Scene paused(Scene first, Moves moves) {
        StateStore store = new StateStore();
        store.add(first.bytes());
        for (int number = 0; number < store.size(); number++) {
            Scene scene = Scene.of(store.get(number));
            boolean some = Integer.bitCount(scene.received) == 2;
            if (some
                    && scene.lines.isEmpty()
                    && moves.source.state(scene) instanceof SourceState.Paused
                    && moves.destination.state(scene) instanceof DestinationState.Paused) {
                return scene;
            }
            moves.expand(scene, new Moves.Visitor() {
                @Override
                public void reached(Scene after, Moves.Kind kind, String what) {
                    boolean wanted = kind == Moves.Kind.ORDINARY
                            || (kind == Moves.Kind.CHOICE && !after.touched)
                            || (kind == Moves.Kind.FAILURE && scene.arrived && what.contains("is cut"));
                    if (wanted) {
                        store.add(after.bytes());
                    }
                }

                @Override
                public void broken(Moves.Kind kind, String what, RuleBroken rule) {
                    // It will be found again, by the exploration that begins at the beginning.
                }
            });
        }
        throw new IllegalStateException(
                "no postcopy can be paused in the middle: " + "none of " + store.size() + " states is one");
    }
}
