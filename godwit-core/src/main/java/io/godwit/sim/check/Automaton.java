// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * A real machine as a table that fills as it is asked: its states by number, and what each input makes of each. Two machines with equal fingerprints are one state, so a step is
 * taken once and looked up ever after.
 *
 * @param <M> the machine, never changed once it has a number
 * @param <E> its effects
 */
final class Automaton<M, E> {
    /** How a machine is taken apart. */
    interface Anatomy<M> {
        M copy(M machine);

        String fingerprint(M machine);
    }

    /**
     * What came of an input.
     *
     * @param next the number of the machine's state after it
     */
    record Step<E>(int next, List<E> effects) {}

    private record Question(int state, Object asked) {}

    private final Anatomy<M> anatomy;
    private final List<M> machines = new ArrayList<>();
    private final Map<String, Integer> numbers = new HashMap<>();
    private final Map<Question, Step<E>> answers = new HashMap<>();

    Automaton(M first, Anatomy<M> anatomy) {
        this.anatomy = anatomy;
        number(first);
    }

    private int number(M machine) {
        return numbers.computeIfAbsent(anatomy.fingerprint(machine), unseen -> {
            machines.add(machine);
            return machines.size() - 1;
        });
    }

    /** States met so far. */
    int size() {
        return machines.size();
    }

    /** All machines met so far; not to be changed. */
    List<M> machines() {
        return machines;
    }

    /** Not to be changed. */
    M machine(int state) {
        return machines.get(state);
    }

    /**
     * One step.
     *
     * @param question an input, or what else is asked; compared by value
     * @param handler puts it to a copy of the machine; the same for equal questions
     */
    Step<E> step(int state, Object question, BiConsumer<M, Consumer<E>> handler) {
        Question asked = new Question(state, question);
        Step<E> known = answers.get(asked);
        if (known == null) {
            M machine = anatomy.copy(machines.get(state));
            List<E> effects = new ArrayList<>();
            try {
                handler.accept(machine, effects::add);
            } catch (IllegalStateException e) {
                // A defect of the machine is a broken rule like any other: the path to it is shown.
                throw new RuleBroken(question + ": " + e.getMessage());
            }
            known = new Step<>(number(machine), List.copyOf(effects));
            answers.put(asked, known);
        }
        return known;
    }
}
