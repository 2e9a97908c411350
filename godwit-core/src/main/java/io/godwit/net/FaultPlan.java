// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.net.Fault.Direction;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link Relay} misbehaves: plain data that prints as the words it is parsed from, so that a run can be replayed.
 *
 * @param faults each at most once per direction
 */
public record FaultPlan(List<Fault> faults) {

    /** No fault at all. */
    public static final FaultPlan NONE = new FaultPlan(List.of());

    /** The words that {@link #parse} knows, for a help text: lines of less than 80 characters. */
    public static final String HELP = """
            none                         no fault
            refuse                       do not listen
            reset                        accept, then reset at once
            blackhole                    accept, swallow all, do not even connect
            half-open                    the same as back:swallow
            [DIRECTION:]cut-after=BYTES  pass so many bytes, then cut all, once
            [DIRECTION:]swallow          read everything and pass nothing
            [DIRECTION:]stall            stop to read
            [DIRECTION:]delay=MS         pass everything so much later
            [DIRECTION:]rate=BYTES       pass at most so many bytes per second
            DIRECTION is forward (to the target), back, or both if none is given.
            BYTES may end in K, M or G. Separate several faults by commas.""";

    /** @throws IllegalArgumentException if a fault is there twice */
    public FaultPlan {
        faults = List.copyOf(faults);
        Set<String> seen = new HashSet<>();
        for (Fault fault : faults) {
            String kind = fault.toString().replaceFirst("=.*", "");
            if (!seen.add(kind)) {
                throw new IllegalArgumentException("the fault " + kind + " is given twice");
            }
        }
    }

    public static FaultPlan of(Fault... faults) {
        return new FaultPlan(List.of(faults));
    }

    /**
     * Reads words as they are printed: {@code forward:delay=20,back:cut-after=64K}; {@code none} or nothing is
     * {@link #NONE}.
     *
     * @throws IllegalArgumentException with a sentence that names the word that is not understood
     */
    public static FaultPlan parse(String words) {
        String all = words.strip();
        if (all.isEmpty() || all.equals("none")) {
            return NONE;
        }
        List<Fault> faults = new ArrayList<>();
        for (String word : all.split(",", -1)) {
            faults.addAll(fault(word.strip()));
        }
        return new FaultPlan(faults);
    }

    private static List<Fault> fault(String word) {
        int colon = word.indexOf(':');
        @Nullable String direction = colon < 0 ? null : word.substring(0, colon);
        String rest = word.substring(colon + 1);
        int equals = rest.indexOf('=');
        String kind = equals < 0 ? rest : rest.substring(0, equals);
        @Nullable String value = equals < 0 ? null : rest.substring(equals + 1);
        @Nullable
        Fault whole = switch (kind) {
            case "refuse" -> new Fault.Refuse();
            case "reset" -> new Fault.Reset();
            case "blackhole" -> new Fault.Blackhole();
            case "half-open" -> new Fault.Swallow(Direction.BACK);
            default -> null;
        };
        if (whole != null) {
            if (direction != null || value != null) {
                throw new IllegalArgumentException(
                        "'" + word + "': " + kind + " takes neither a direction nor a value");
            }
            return List.of(whole);
        }
        List<Fault> faults = new ArrayList<>();
        for (Direction one : directions(direction, word)) {
            faults.add(oneWay(one, kind, value, word));
        }
        return faults;
    }

    private static List<Direction> directions(@Nullable String name, String word) {
        return switch (name) {
            case "forward" -> List.of(Direction.FORWARD);
            case "back" -> List.of(Direction.BACK);
            case "both" -> List.of(Direction.values());
            case null -> List.of(Direction.values());
            default ->
                throw new IllegalArgumentException(
                        "'" + word + "': '" + name + "' is no direction, use forward, back or both");
        };
    }

    private static Fault oneWay(Direction direction, String kind, @Nullable String value, String word) {
        boolean needsValue = switch (kind) {
            case "cut-after", "delay", "rate" -> true;
            case "swallow", "stall" -> false;
            default ->
                throw new IllegalArgumentException(
                        "'" + word + "' is no fault: use refuse, reset, blackhole, half-open, cut-after=BYTES,"
                                + " swallow, stall, delay=MS, rate=BYTES or none");
        };
        if (needsValue != (value != null)) {
            throw new IllegalArgumentException("'" + word + "': " + kind
                    + (needsValue ? " needs a value, as in " + kind + "=100" : " takes no value"));
        }
        return switch (kind) {
            case "cut-after" -> new Fault.CutAfter(direction, number(value, word));
            case "delay" -> new Fault.Delay(direction, number(value, word));
            case "rate" -> new Fault.Rate(direction, number(value, word));
            case "swallow" -> new Fault.Swallow(direction);
            default -> new Fault.Stall(direction);
        };
    }

    private static long number(@Nullable String text, String word) {
        String digits = text == null ? "" : text;
        int unit = digits.isEmpty() ? -1 : "KMG".indexOf(Character.toUpperCase(digits.charAt(digits.length() - 1)));
        if (unit >= 0) {
            digits = digits.substring(0, digits.length() - 1);
        }
        try {
            if (digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
                return Math.multiplyExact(Long.parseLong(digits), 1L << (10 * (unit + 1)));
            }
        } catch (NumberFormatException | ArithmeticException none) {
            throw noNumber(text, word, none);
        }
        throw noNumber(text, word, null);
    }

    private static IllegalArgumentException noNumber(@Nullable String text, String word, @Nullable Exception cause) {
        return new IllegalArgumentException(
                "'" + word + "': '" + text + "' is no number, use digits and K, M or G", cause);
    }

    /** Whether a fault of this kind is part of it. */
    public boolean has(Class<? extends Fault> kind) {
        return faults.stream().anyMatch(kind::isInstance);
    }

    /** The same without the cut in this direction, which happened. */
    FaultPlan withoutCut(Direction direction) {
        return new FaultPlan(faults.stream()
                .filter(f -> !(f instanceof Fault.CutAfter cut && cut.direction() == direction))
                .toList());
    }

    /** The words that parse back to an equal plan. */
    @Override
    public String toString() {
        return faults.isEmpty() ? "none" : faults.stream().map(Fault::toString).collect(Collectors.joining(","));
    }
}
