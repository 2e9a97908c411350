// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A table of places and of what each input does there, as a text: one section per place, inputs of the same outcome together. */
final class MachineTable {
    private MachineTable() {}

    /** A section as it stands in the table. Inputs whose outcome is empty are left out. */
    static <I> String section(String place, String state, Map<String, I> inputs, Function<I, String> outcome) {
        Map<String, List<String>> byOutcome = new LinkedHashMap<>();
        inputs.forEach((name, input) -> byOutcome
                .computeIfAbsent(outcome.apply(input), _ -> new ArrayList<>())
                .add(name));
        byOutcome.remove("");
        StringBuilder lines = new StringBuilder("[" + place + "] " + state + "\n");
        byOutcome.forEach((what, names) -> lines.append(String.join(" ", names))
                .append("\n    ")
                .append(what)
                .append("\n"));
        return lines.toString().strip();
    }

    /**
     * A cell: what an input does at a place.
     *
     * @param refusal why it is refused, or null
     * @param fingerprint the machine's now: what it does unseen
     * @param give gives it to the machine
     * @param said what the machine has said since it was at that place
     */
    static String outcome(
            @Nullable String refusal, Supplier<String> fingerprint, Runnable give, Supplier<List<String>> said) {
        if (refusal != null) {
            return "refused";
        }
        String before = fingerprint.get();
        try {
            give.run();
        } catch (IllegalStateException e) {
            assertThat(said.get()).isEmpty();
            return "may not be given";
        }
        String words = String.join(" ", said.get());
        return !words.isEmpty() ? words : fingerprint.get().equals(before) ? "" : "noted";
    }

    /** The sections of a resource beside this class, by place; what stands before the first one is for the reader. */
    static Map<String, String> read(String resource) throws IOException {
        Map<String, String> sections = new LinkedHashMap<>();
        try (InputStream in = MachineTable.class.getResourceAsStream(resource)) {
            String text = new String(Objects.requireNonNull(in, resource).readAllBytes(), StandardCharsets.UTF_8);
            for (String section : text.substring(text.indexOf("\n[") + 1).split("\n(?=\\[)", -1)) {
                sections.put(section.substring(1, section.indexOf(']')), section.strip());
            }
        }
        return sections;
    }

    /** The table has just these places, they are of every state there is, and the inputs of every kind. */
    static void isWhole(
            String resource, Set<String> places, Stream<?> states, Class<?> state, Stream<?> inputs, Class<?> input)
            throws IOException {
        assertThat(read(resource).keySet()).isEqualTo(places);
        areOfEveryKind(states, state);
        areOfEveryKind(inputs, input);
    }

    private static void areOfEveryKind(Stream<?> things, Class<?> sealed) {
        assertThat(things.map(thing -> (Object) thing.getClass()).distinct())
                .containsExactlyInAnyOrder((Object[]) sealed.getPermittedSubclasses());
    }
}
