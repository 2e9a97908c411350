// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import java.util.BitSet;

/**
 * Where a source is, with what belongs to that place only. {@code spec/sequences.md §8.1} gives QEMU's table; {@link Uncertain} is ours.
 *
 * <pre>
 *  Idle ── Setup ── Active ── Stopping ─┬─ [PreSwitchover] ─┬─ Flushing ═══ commit point ═══╗
 *            │        │          │      └───────────────────┘     │                         ║
 *            └────────┴──────────┴────── Failed / Cancelled ──────┘     precopy: AwaitingShut ── Completed
 *                       (guest goes on here)                           postcopy: PostcopyActive ── Completed
 *                                                                        │   ▲
 *                                     Paused (or Uncertain) ◄────────────┘   │
 *                                        │      ▲  ▲                         │
 *                                        ▼      │  │ any failure             │
 *                                  RecoverSetup─┘  └── Recover ──────────────┘
 *                                                       ▲  │ operator or deadline, where the
 *                                      a sign of life   │  ▼ channel must not be closed
 *                                                       Held
 * </pre>
 */
public sealed interface SourceState {
    /** The status word shown for it. */
    MigrationStatus status();

    /** No migration yet. */
    record Idle() implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.NONE;
        }
    }

    /** Connecting. */
    record Setup() implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.SETUP;
        }
    }

    /** Precopy: the guest runs here and pages go out. */
    record Active() implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.ACTIVE;
        }
    }

    /** The guest was asked to stop for the switchover and has not stopped yet. */
    record Stopping() implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.ACTIVE;
        }
    }

    /** The guest is stopped and the operator has to say migrate-continue. */
    record PreSwitchover() implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.PRE_SWITCHOVER;
        }
    }

    /**
     * The guest is stopped and what leads up to the commit point is on its way to the kernel.
     *
     * @param postcopy the commit point is the end of PACKAGED, else the EOF byte
     * @param closing everything up to the commit point is in the outbox
     */
    record Flushing(boolean postcopy, boolean closing) implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.DEVICE;
        }
    }

    /** Precopy, past the commit point: EOF is out, SHUT 0 is awaited. */
    record AwaitingShut() implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.DEVICE;
        }
    }

    /**
     * The guest is the destination's.
     *
     * @param proven the destination is known to have loaded the guest
     * @param ended END and EOF are in the outbox; SHUT 0 is awaited
     */
    record PostcopyActive(boolean proven, boolean ended) implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.POSTCOPY_ACTIVE;
        }
    }

    /** The channel is lost and the destination has the guest: everything is kept for a recovery. */
    record Paused() implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.POSTCOPY_PAUSED;
        }
    }

    /** A recovery connects. */
    record RecoverSetup(Lost origin) implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.POSTCOPY_RECOVER_SETUP;
        }
    }

    /**
     * The recovery's handshake.
     *
     * @param missing blocks whose received bitmap has not come yet; not to be changed
     * @param resumeSent POSTCOPY_RESUME is in the outbox
     */
    record Recover(Lost origin, BitSet missing, boolean resumeSent) implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.POSTCOPY_RECOVER;
        }
    }

    /**
     * Paused, or uncertain, inside a recovery's handshake with a peer that would not survive the end of its connection ({@link Parameters#peerMayBe72}): the channel
     * is held, and used again at its first sign of life.
     *
     * @param handshake where the handshake stands
     */
    record Held(Recover handshake) implements SourceState {
        @Override
        public MigrationStatus status() {
            return handshake.origin() == Lost.POSTCOPY ? MigrationStatus.POSTCOPY_PAUSED : MigrationStatus.UNCERTAIN;
        }
    }

    /**
     * Past the commit point, channel gone, and unknown whether the destination has the guest.
     *
     * @param neverRan the destination itself has said that it never got the guest; still only an operator may run it here again
     */
    record Uncertain(Lost origin, boolean neverRan) implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.UNCERTAIN;
        }
    }

    /**
     * Everything is sent, and the guest is the destination's.
     *
     * @param confirmed the destination, or an operator, has said so; without a return path nobody does, and an operator who knows better can take the guest back
     */
    record Completed(boolean confirmed) implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.COMPLETED;
        }
    }

    /** Failed before the commit point, or given back by an operator: the guest is here. */
    record Failed() implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.FAILED;
        }
    }

    /** Cancelled before the commit point: the guest is here. */
    record Cancelled() implements SourceState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.CANCELLED;
        }
    }

    /** Whether an operator's stop of this process would lose what exists nowhere else. */
    default boolean holdsGuestData() {
        return switch (this) {
            case Idle _,
                    Setup _,
                    Active _,
                    Stopping _,
                    PreSwitchover _,
                    Flushing _,
                    Completed _,
                    Failed _,
                    Cancelled _ -> false;
            case AwaitingShut _, PostcopyActive _, Paused _, RecoverSetup _, Recover _, Held _, Uncertain _ -> true;
        };
    }

    /** Whether a migration is under way that has not passed the commit point: it can be cancelled, and its failure gives the guest back. */
    default boolean revocable() {
        return switch (this) {
            case Setup _, Active _, Stopping _, PreSwitchover _, Flushing _ -> true;
            case Idle _,
                    AwaitingShut _,
                    PostcopyActive _,
                    Paused _,
                    RecoverSetup _,
                    Recover _,
                    Held _,
                    Uncertain _,
                    Completed _,
                    Failed _,
                    Cancelled _ -> false;
        };
    }

    /** Whether no migration is under way: none has begun, or the last one has come to its end, and whose the guest is stands fast. */
    default boolean over() {
        return !revocable() && !holdsGuestData();
    }

    /** What was known when the channel was lost past the commit point. */
    enum Lost {
        /** Precopy: EOF was handed over, SHUT 0 did not come. */
        PRECOPY_UNPROVEN,
        /** Postcopy: PACKAGED was handed over, nothing proves that it was loaded. */
        POSTCOPY_UNPROVEN,
        /** Postcopy: the destination has the guest. */
        POSTCOPY
    }
}
