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

    /** What is done to the packets of a network, or to its link. */
    sealed interface OnPackets extends Blow {}

    /** The kernel of that end gives all connections up; the other hears of it by a RST. */
    record Reset(Side side) implements OnPackets {
        @Override
        public String kind() {
            return "reset by the " + side;
        }
    }

    /** So many packets of a hundred vanish in one direction, for so long; nothing need break. */
    record Lossy(Direction direction, int percent, int forMillis) implements OnPackets {
        @Override
        public String kind() {
            return "loss " + direction;
        }

        @Override
        public String words() {
            return percent + " % loss " + direction + " for " + forMillis + " ms";
        }
    }

    /** Only so much passes, for so long; nothing need break. */
    record Narrow(int kilobits, int forMillis) implements OnPackets {
        @Override
        public String kind() {
            return "narrow link";
        }

        @Override
        public String words() {
            return kilobits + " kbit/s for " + forMillis + " ms";
        }
    }

    /** The link of that end is down and comes up again so much later: its kernel says that there is no way, the other's says nothing at first. */
    record Down(Side side, int forMillis) implements OnPackets {
        @Override
        public String kind() {
            return "link down, " + side;
        }

        @Override
        public String words() {
            return kind() + " for " + forMillis + " ms";
        }
    }

    /** {@code kill -9} while the link is down, which comes up so much later: what the kernel says of the dead process's connections gets lost. */
    record KillUnseen(Side side, int forMillis) implements OnPackets {
        @Override
        public String kind() {
            return "kill -9 unseen, " + side;
        }

        @Override
        public String words() {
            return kind() + ", link down for " + forMillis + " ms";
        }
    }
}
