// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.util.Locale;

/**
 * One way in which a {@link Relay} misbehaves. The text form is what {@link FaultPlan#parse} reads.
 */
public sealed interface Fault {

    /** Seen from the one who connects to the relay. */
    enum Direction {
        /** From the one who connected to the target. */
        FORWARD,
        /** From the target to the one who connected. */
        BACK;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** {@code refuse}: the relay does not listen; who is connected stays so. */
    record Refuse() implements Fault {
        @Override
        public String toString() {
            return "refuse";
        }
    }

    /** {@code reset}: the relay accepts and resets at once; who is connected stays so. */
    record Reset() implements Fault {
        @Override
        public String toString() {
            return "reset";
        }
    }

    /**
     * {@code blackhole}: the relay accepts, swallows everything and answers nothing; the target is not even connected
     * to. Who is connected already is swallowed in both directions.
     */
    record Blackhole() implements Fault {
        @Override
        public String toString() {
            return "blackhole";
        }
    }

    /**
     * {@code [DIRECTION:]cut-after=BYTES}: when so many bytes have passed since this was set, over all connections, all
     * connections are cut, and this fault is spent. Exactly so many arrive; 0 cuts when the first byte wants to pass.
     */
    record CutAfter(Direction direction, long bytes) implements Fault {
        /** @throws IllegalArgumentException if the number is negative */
        public CutAfter {
            if (bytes < 0) {
                throw new IllegalArgumentException("cut-after=" + bytes + ": a number of bytes is not negative");
            }
        }

        @Override
        public String toString() {
            return direction + ":cut-after=" + bytes;
        }
    }

    /**
     * {@code [DIRECTION:]swallow}: nothing of this direction gets through, neither its bytes nor its end nor its loss,
     * while the other direction works. {@code half-open} is {@code back:swallow}.
     */
    record Swallow(Direction direction) implements Fault {
        @Override
        public String toString() {
            return direction + ":swallow";
        }
    }

    /** {@code [DIRECTION:]stall}: the relay stops to read, so the sender is held up once all buffers are full. */
    record Stall(Direction direction) implements Fault {
        @Override
        public String toString() {
            return direction + ":stall";
        }
    }

    /**
     * {@code [DIRECTION:]delay=MS}: every byte takes so much longer. At most {@link Relay#BUFFER_BYTES} are on their
     * way in one direction of a connection, then the sender is held up.
     */
    record Delay(Direction direction, long millis) implements Fault {
        private static final long LONGEST = 3_600_000;

        /** @throws IllegalArgumentException if it is not between 1 ms and an hour */
        public Delay {
            if (millis < 1 || millis > LONGEST) {
                throw new IllegalArgumentException("delay=" + millis + ": use 1 to " + LONGEST + " milliseconds");
            }
        }

        @Override
        public String toString() {
            return direction + ":delay=" + millis;
        }
    }

    /** {@code [DIRECTION:]rate=BYTES}: at most so many bytes per second pass, over all connections. */
    record Rate(Direction direction, long bytesPerSecond) implements Fault {
        /** @throws IllegalArgumentException if the number is not at least 1 */
        public Rate {
            if (bytesPerSecond < 1) {
                throw new IllegalArgumentException("rate=" + bytesPerSecond + ": use at least 1 byte per second");
            }
        }

        @Override
        public String toString() {
            return direction + ":rate=" + bytesPerSecond;
        }
    }
}
