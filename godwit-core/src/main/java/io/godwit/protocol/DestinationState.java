// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Where a destination is, with what belongs to that place only. {@code spec/sequences.md §8.2} gives QEMU's table.
 *
 * <pre>
 *  Idle ── Listening ── Active ─┬─ precopy: EOF ─────────────── Completed ◄─┐
 *                         │     └─ PACKAGED with RUN ── PostcopyActive ─────┘
 *                         ▼                               │  ▲
 *                       Failed                     Paused ◄┘  │
 *               (it never had the guest)              ▲ │     │
 *                                         any failure │ ▼     │
 *                                                  Recover ───┘
 * </pre>
 */
public sealed interface DestinationState {
    MigrationStatus status();

    /** Nothing was asked for yet. */
    record Idle() implements DestinationState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.NONE;
        }
    }

    /** Waiting for a source. */
    record Listening() implements DestinationState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.SETUP;
        }
    }

    /**
     * A source sends.
     *
     * @param returnPath OPEN_RETURN_PATH came
     * @param advised POSTCOPY_ADVISE came
     * @param memory the block list came
     */
    record Active(boolean returnPath, boolean advised, boolean memory) implements DestinationState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.ACTIVE;
        }
    }

    /**
     * The guest is this side's, pages are still coming.
     *
     * @param ended main's EOF came; only what is still in the preempt channel is awaited
     */
    record PostcopyActive(boolean ended) implements DestinationState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.POSTCOPY_ACTIVE;
        }
    }

    /** The channel is lost; the guest runs as far as its pages are here. */
    record Paused() implements DestinationState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.POSTCOPY_PAUSED;
        }
    }

    /**
     * A recovery's handshake.
     *
     * @param asked blocks whose received bitmap was asked for on this channel; not to be changed
     */
    record Recover(BitSet asked) implements DestinationState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.POSTCOPY_RECOVER;
        }
    }

    /**
     * Everything is here.
     *
     * @param answering a source that missed the final SHUT has come back and is told that nothing is missing
     * @param asked blocks whose received bitmap that source has asked for; not to be changed
     */
    record Completed(boolean answering, BitSet asked) implements DestinationState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.COMPLETED;
        }
    }

    /** Failed before the guest was this side's. It never ran here and never will from what came. */
    record Failed() implements DestinationState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.FAILED;
        }
    }

    /** Whether the guest runs here on pages that are not all here, so that ending this process would lose it. */
    default boolean holdsGuestData() {
        return switch (this) {
            case PostcopyActive _, Paused _, Recover _ -> true;
            case Idle _, Listening _, Active _, Completed _, Failed _ -> false;
        };
    }

    /** What is to be done with a page that comes on the main or the preempt channel. */
    default PageRule pages() {
        return switch (this) {
            case Active active -> active.memory() ? PageRule.STORE : PageRule.NONE;
            case PostcopyActive _ -> PageRule.PLACE;
            case Completed completed -> completed.answering() ? PageRule.DROP : PageRule.NONE;
            case Idle _, Listening _, Paused _, Recover _, Failed _ -> PageRule.NONE;
        };
    }

    /** Blocks whose received bitmap the source has asked for on its recovery connection, or null if it may not ask now; not to be changed. */
    default @Nullable BitSet askedNow() {
        // Not named as the records' component: their accessor would take this method's place.
        return switch (this) {
            case Recover(BitSet asked) -> asked;
            case Completed(boolean answering, BitSet asked) -> answering ? asked : null;
            case Idle _, Listening _, Active _, PostcopyActive _, Paused _, Failed _ -> null;
        };
    }

    /** Whether there is a source that can hear an answer. */
    default boolean heard() {
        return switch (this) {
            case Active _, PostcopyActive _, Recover _ -> true;
            case Completed completed -> completed.answering();
            case Idle _, Listening _, Paused _, Failed _ -> false;
        };
    }

    /**
     * Whether silence of the path is judged.
     *
     * @param pings the source sends keep-alive PINGs
     * @param owed a requested page has not come
     */
    default boolean watched(boolean pings, boolean owed) {
        return switch (this) {
            case Active _ -> pings;
            case PostcopyActive(boolean ended) -> !ended && (pings || owed);
            case Idle _, Listening _, Paused _, Recover _, Completed _, Failed _ -> false;
        };
    }
}
