// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import io.godwit.qemu.QemuVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One thing to be tried.
 *
 * @param version of the QEMU
 * @param preempt with a channel for urgent pages
 */
record Cell(QemuVersion version, Role role, boolean preempt, Way way) {
    /** Godwit's part. */
    enum Role {
        /** QEMU is the source. */
        PARK,
        /** QEMU is the destination. */
        UNPARK;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What happens. */
    enum Way {
        PRECOPY("precopy"),
        MULTIFD("precopy over two multifd channels"),
        POSTCOPY("postcopy"),
        RECOVERED("postcopy, cut, recovered"),
        MULTIFD_RECOVERED("… with the first pass over two multifd channels"),
        REFUSED("… after recoveries that were refused"),
        FAILED("… after recoveries that were swallowed, paused from either side, and cut inside the handshake"),
        HELD("… after a handshake that stood still past its deadline, or was paused, and whose path came back"),
        CUT_IN_HANDSHAKE("a recovery cut inside its handshake"),
        CUT_BEFORE_FIRST_BYTE("a recovery cut before its first byte"),
        CUT_IN_FIRST_BYTES("a recovery cut inside its first four bytes"),
        KILLED("postcopy, Godwit killed (SIGKILL), a new process goes on"),
        WORD_LOST_IN_PRECOPY("the last word of a precopy lost"),
        WORD_LOST_IN_POSTCOPY("the last word of a postcopy lost");

        private final String title;

        Way(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }

        boolean postcopy() {
            return this != PRECOPY && this != MULTIFD && this != WORD_LOST_IN_PRECOPY;
        }

        boolean multifd() {
            return this == MULTIFD || this == MULTIFD_RECOVERED;
        }
    }

    /** Whether it means anything, and is not another one once more. */
    private boolean sensible() {
        boolean old = version == QemuVersion.V7_2;
        return switch (way) {
            // Without the capability for postcopy there is none for preempt; at a source both may be on and not used.
            case PRECOPY -> !preempt || role == Role.PARK;
            case MULTIFD, WORD_LOST_IN_PRECOPY, WORD_LOST_IN_POSTCOPY -> !preempt;
            // Those before 11 refuse the two together; 7.2 does not, and ends by an assertion (spec/multifd.md §6). A
            // VM
            // that is unparked by postcopy has no first pass.
            case MULTIFD_RECOVERED -> version == QemuVersion.V11_1 && role == Role.PARK && !preempt;
            // A 7.2 does not survive it, and that is told of by itself.
            case FAILED -> !old;
            case CUT_IN_HANDSHAKE -> old;
            case CUT_BEFORE_FIRST_BYTE -> role == Role.UNPARK;
            // Who listens has to make out what a connection is.
            case CUT_IN_FIRST_BYTES -> !old && role == Role.UNPARK && !preempt;
            case POSTCOPY, RECOVERED, REFUSED, HELD, KILLED -> true;
        };
    }

    static List<Cell> all() {
        List<Cell> all = new ArrayList<>();
        for (QemuVersion version : QemuVersion.values()) {
            for (Role role : Role.values()) {
                for (Way way : Way.values()) {
                    for (boolean preempt : new boolean[] {false, true}) {
                        Cell cell = new Cell(version, role, preempt, way);
                        if (cell.sensible()) {
                            all.add(cell);
                        }
                    }
                }
            }
        }
        return all;
    }

    /**
     * A few of them in which every version, role and way but the rarest is met. Failed recoveries of a source with a preempt channel are not among them: there QEMU's own process
     * may end ({@code docs/compatibility.md}), which would say nothing of us.
     */
    static List<Cell> diagonal() {
        return List.of(
                new Cell(QemuVersion.V7_2, Role.PARK, false, Way.HELD),
                new Cell(QemuVersion.V7_2, Role.UNPARK, true, Way.HELD),
                new Cell(QemuVersion.V7_2, Role.UNPARK, false, Way.KILLED),
                new Cell(QemuVersion.V10_0, Role.PARK, false, Way.FAILED),
                new Cell(QemuVersion.V10_0, Role.UNPARK, false, Way.MULTIFD),
                new Cell(QemuVersion.V10_0, Role.PARK, false, Way.WORD_LOST_IN_POSTCOPY),
                new Cell(QemuVersion.V11_1, Role.PARK, true, Way.KILLED),
                new Cell(QemuVersion.V11_1, Role.UNPARK, true, Way.FAILED));
    }

    @Override
    public String toString() {
        return version + " " + role.word() + (preempt ? " preempt: " : ": ") + way.title();
    }
}
