// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.net.Fault.CutAfter;
import io.godwit.net.Fault.Direction;
import io.godwit.net.FaultPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** How one recovery is made to fail at relay (b). */
sealed interface Fault {
    /** What the relay does. */
    FaultPlan plan();

    /** For people. */
    String words();

    /** The same, but for a cut, which comes after so many bytes at the earliest. */
    default Fault after(long first) {
        return this;
    }

    /** Relay (b) is dead, as in the experiment. */
    record Dead() implements Fault {
        @Override
        public FaultPlan plan() {
            return FaultPlan.NONE;
        }

        @Override
        public String words() {
            return "relay (b) is dead";
        }

        @Override
        public String toString() {
            return "dead";
        }
    }

    /** Relay (b) lives and does not listen. */
    record Refuse() implements Fault {
        @Override
        public FaultPlan plan() {
            return FaultPlan.parse("refuse");
        }

        @Override
        public String words() {
            return "relay (b) refuses";
        }

        @Override
        public String toString() {
            return "refuse";
        }
    }

    /** Relay (b) takes everything and answers nothing. */
    record Blackhole() implements Fault {
        @Override
        public FaultPlan plan() {
            return FaultPlan.parse("blackhole");
        }

        @Override
        public String words() {
            return "relay (b) swallows everything";
        }

        @Override
        public String toString() {
            return "blackhole";
        }
    }

    /** The connection is cut after so many bytes, inside the handshake or shortly behind it. */
    record Cut(List<Direction> directions, long bytes) implements Fault {
        public Cut {
            directions = List.copyOf(directions);
        }

        @Override
        public FaultPlan plan() {
            return new FaultPlan(directions.stream()
                    .<io.godwit.net.Fault>map(direction -> new CutAfter(direction, bytes))
                    .toList());
        }

        @Override
        public Fault after(long first) {
            return new Cut(directions, Math.max(bytes, first));
        }

        @Override
        public String words() {
            String where = directions.size() > 1 ? "" : directions.contains(Direction.BACK) ? " back" : " forward";
            return "cut after %,d bytes%s".formatted(bytes, where);
        }

        @Override
        public String toString() {
            return directions.size() > 1 ? "cut-after=" + bytes : directions.getFirst() + ":cut-after=" + bytes;
        }
    }

    /** Source to destination passes, the other direction is swallowed: both ends hang in postcopy-recover until {@code kick}. */
    record HalfOpen(Kick kick) implements Fault {
        @Override
        public FaultPlan plan() {
            return FaultPlan.parse("half-open");
        }

        @Override
        public String words() {
            return "half-open, " + kick.words;
        }

        @Override
        public String toString() {
            return "half-open";
        }
    }

    /** Who ends a hanging handshake. */
    enum Kick {
        SOURCE("the source is kicked out"),
        DESTINATION("the destination is kicked out"),
        DEADLINE("nobody says anything");

        private final String words;

        Kick(String words) {
            this.words = words;
        }
    }

    /**
     * Reads one of the words of {@code --fault}.
     *
     * @throws IllegalArgumentException with a sentence
     */
    static Fault parse(String word) {
        return switch (word) {
            case "dead" -> new Dead();
            case "refuse" -> new Refuse();
            case "blackhole" -> new Blackhole();
            case "half-open" -> new HalfOpen(Kick.SOURCE);
            default -> {
                if (!word.startsWith("cut-after=")) {
                    throw new IllegalArgumentException("'" + word
                            + "' is no fault of this demo: use refuse, blackhole, cut-after=BYTES or half-open");
                }
                CutAfter cut = (CutAfter) FaultPlan.parse(word).faults().getFirst();
                yield new Cut(List.of(Direction.values()), cut.bytes());
            }
        };
    }

    /** The faults of a run, one for each recovery that is to fail: chosen by the user, else the usual four and then drawn from the seed. */
    static List<Fault> all(Settings settings) {
        return all(settings, settings.seed());
    }

    /** As {@link #all(Settings)}, drawn from another seed. */
    static List<Fault> all(Settings settings, long seed) {
        List<Fault> usual = List.of(
                new Dead(), new HalfOpen(Kick.SOURCE), new HalfOpen(Kick.DESTINATION), new HalfOpen(Kick.DEADLINE));
        Random random = new Random(seed);
        List<Fault> all = new ArrayList<>();
        int halfOpen = 0;
        for (int i = 0; i < settings.failures(); i++) {
            Fault fault;
            if (!settings.faults().isEmpty()) {
                fault = settings.faults().get(i % settings.faults().size());
                if (fault instanceof HalfOpen) {
                    fault = new HalfOpen(Kick.values()[halfOpen++ % Kick.values().length]);
                }
            } else {
                fault = i < usual.size() ? usual.get(i) : drawn(random, settings.size());
            }
            all.add(fault);
        }
        return all;
    }

    private static Fault drawn(Random random, long size) {
        // A handshake's bytes: the bitmaps, one bit a page, and some hundred more.
        int handshake = Math.toIntExact(Math.min(size >> 15, 1 << 20)) + 512;
        return switch (random.nextInt(6)) {
            case 0 -> new Refuse();
            case 1 -> new Blackhole();
            case 2 -> new Cut(List.of(Direction.FORWARD), random.nextInt(512));
            case 3 -> new Cut(List.of(Direction.BACK), random.nextInt(handshake));
            default -> new HalfOpen(Kick.values()[random.nextInt(Kick.values().length)]);
        };
    }
}
