// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks at every state that a small world can reach, in the order of its distance from the first: whether a rule is broken in it, and whether a good end can be reached from it without
 * another failure. One thread.
 */
public final class Checker {
    private static final int PROGRESS_EVERY = 4096;

    private final CheckWorld world;
    private final Moves moves;
    private final LongConsumer progress;
    private final StateStore store = new StateStore();
    private final Paths paths = new Paths();
    private final BitSet good = new BitSet();
    private int[] parents = new int[1024];
    private int[] depths = new int[1024];
    private long transitions;
    private int current;
    private @Nullable String violation;
    private @Nullable String lastMove;

    private Checker(CheckWorld world, Bugs bugs, LongConsumer progress) {
        this.world = world;
        this.moves = new Moves(world, bugs);
        this.progress = progress;
    }

    /**
     * Explores a world.
     *
     * @param progress is told the number of states now and then
     */
    public static CheckReport check(CheckWorld world, LongConsumer progress) {
        return new Checker(world, Bugs.NONE, progress).run();
    }

    static CheckReport check(CheckWorld world, Bugs bugs) {
        return new Checker(world, bugs, states -> {}).run();
    }

    private CheckReport run() {
        long begun = System.nanoTime();
        add(Prelude.of(world, moves), -1);
        Moves.Visitor visitor = new Moves.Visitor() {
            @Override
            public void reached(Scene after, Moves.Kind kind, String what) {
                transitions++;
                int number = add(after, current);
                if (kind != Moves.Kind.FAILURE) {
                    paths.add(number);
                }
            }

            @Override
            public void broken(Moves.Kind kind, String what, RuleBroken rule) {
                if (violation == null) {
                    violation = rule.getMessage();
                    lastMove = what.isEmpty() ? "and then" : what;
                }
            }
        };
        for (current = 0; current < store.size() && violation == null && store.size() < world.mostStates(); current++) {
            moves.expand(Scene.of(store.get(current)), visitor);
            paths.next();
            if (current % PROGRESS_EVERY == 0) {
                progress.accept(store.size());
            }
        }
        boolean complete = violation == null && current == store.size();
        int shown = violation == null ? -1 : current - 1;
        if (complete) {
            shown = stuck();
        }
        return report(complete, shown, System.nanoTime() - begun);
    }

    private int add(Scene scene, int parent) {
        int number = store.add(scene.bytes());
        if (number >= 0) {
            return number;
        }
        number = -number - 1;
        if (number == parents.length) {
            parents = Arrays.copyOf(parents, 2 * number);
            depths = Arrays.copyOf(depths, 2 * number);
        }
        parents[number] = parent;
        depths[number] = parent < 0 ? 0 : depths[parent] + 1;
        if (parent >= 0 && moves.goodEnd(scene)) {
            good.set(number);
        }
        return number;
    }

    /** The first state without a way to a good end, or -1. */
    private int stuck() {
        BitSet well = paths.leadingTo(good, store.size());
        int stuck = well.nextClearBit(0);
        if (stuck >= store.size()) {
            return -1;
        }
        violation = "from here no good end can be reached any more, whatever an operator says (so it is in "
                + (store.size() - well.cardinality()) + " of " + store.size() + " states)";
        return stuck;
    }

    private CheckReport report(boolean complete, int shown, long nanos) {
        return new CheckReport(
                world,
                complete,
                store.size(),
                transitions,
                depths[store.size() - 1],
                moves.source.states(),
                moves.destination.states(),
                moves.source.statuses(),
                moves.destination.statuses(),
                good.cardinality(),
                violation,
                shown < 0 ? List.of() : dialogue(shown),
                nanos);
    }

    private List<String> dialogue(int state) {
        List<Integer> way = new ArrayList<>();
        for (int at = state; at >= 0; at = parents[at]) {
            way.addFirst(at);
        }
        List<String> lines = new ArrayList<>();
        if (world.paused()) {
            lines.add("  (both ends are paused, the destination has two of four pages)");
        }
        for (int i = 1; i < way.size(); i++) {
            tell(lines, way.get(i - 1), way.get(i));
        }
        if (lastMove != null) {
            lines.add(lastMove + ":");
        }
        lines.add(String.valueOf(violation));
        Scene end = Scene.of(store.get(state));
        lines.add("  the source is in " + moves.source.state(end) + ", the destination in "
                + moves.destination.state(end));
        return lines;
    }

    private void tell(List<String> lines, int from, int to) {
        Scene before = Scene.of(store.get(from));
        byte[] wanted = store.get(to);
        int told = lines.size();
        moves.expand(before, new Moves.Visitor() {
            @Override
            public void reached(Scene after, Moves.Kind kind, String what) {
                if (lines.size() == told && Arrays.equals(after.bytes(), wanted)) {
                    lines.add((kind == Moves.Kind.FAILURE ? "! " : "  ") + what);
                }
            }

            @Override
            public void broken(Moves.Kind kind, String what, RuleBroken rule) {
                // It is told at the end.
            }
        });
        Scene after = Scene.of(wanted);
        change(lines, "source", moves.source.state(before), moves.source.state(after));
        change(lines, "destination", moves.destination.state(before), moves.destination.state(after));
    }

    private static void change(List<String> lines, String side, Object before, Object after) {
        if (!before.equals(after)) {
            lines.add("      " + side + ": " + before + " -> " + after);
        }
    }
}
