// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Side;
import io.godwit.net.Fault.Direction;

/** What is done to a migration. */
sealed interface Blow {
    /** What is counted: one row of the table. */
    String kind();

    /** All of it, for the plan that a failed round prints. */
    default String words() {
        return kind();
    }

    /** All connections are cut at the relay. */
    record Cut() implements Blow {
        @Override
        public String kind() {
            return "cut";
        }
    }

    /** All connections are cut once so many more bytes have passed in one direction; at the latest after a while. */
    record CutAt(Direction direction, long bytes) implements Blow {
        @Override
        public String kind() {
            return "cut at a byte, " + direction;
        }

        @Override
        public String words() {
            return "cut after " + bytes + " bytes " + direction;
        }
    }

    /** Nothing of one direction arrives any more, and nobody is told. */
    record Silence(Direction direction) implements Blow {
        @Override
        public String kind() {
            return "silence " + direction;
        }
    }

    /** Every byte takes longer, both ways, for so long; nothing need break. */
    record Slow(int delayMillis, int forMillis) implements Blow {
        @Override
        public String kind() {
            return "slow link";
        }

        @Override
        public String words() {
            return "each byte " + delayMillis + " ms later, for " + forMillis + " ms";
        }
    }

    /** Connections are cut and refused, for so long. */
    record Refuse(int forMillis) implements Blow {
        @Override
        public String kind() {
            return "refused";
        }

        @Override
        public String words() {
            return "cut, and connections refused for " + forMillis + " ms";
        }
    }

    /** The operator of one end says migrate-pause. */
    record Pause(Side side) implements Blow {
        @Override
        public String kind() {
            return "migrate-pause, " + side;
        }
    }

    /** The operator of the source says migrate_cancel, which is obeyed in precopy. */
    record Cancel() implements Blow {
        @Override
        public String kind() {
            return "migrate_cancel";
        }
    }

    /** SIGSTOP, and SIGCONT so much later. */
    record Freeze(Side side, int forMillis) implements Blow {
        @Override
        public String kind() {
            return "SIGSTOP, " + side;
        }

        @Override
        public String words() {
            return kind() + " for " + forMillis + " ms";
        }
    }

    /** {@code kill -9}. */
    record Kill(Side side) implements Blow {
        @Override
        public String kind() {
            return "kill -9, " + side;
        }
    }
}
