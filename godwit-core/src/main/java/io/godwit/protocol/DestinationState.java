// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Where a destination is, with what belongs to that place only. {@code spec/sequences.md §8.2} gives QEMU's table.
 *
 * <pre>
 *  Idle ── Listening ── Active ─┬─ precopy: EOF ── Loading ─────────────────────── Completed ◄─┐
 *                         │     └─ PACKAGED with RUN ── Loading ── PostcopyActive ── Finishing ─┘
 *                         ▼                                          │  ▲               │
 *                       Failed                  Mending ── Paused ◄──┘  │          Mending, and as before
 *               (it never had the guest)                     ▲ │        │
 *                                                any failure │ ▼        │
 *                                                         Recover ──────┘
 * </pre>
 *
 * In {@link Loading}, {@link Finishing} and {@link Mending} the guest is at work (it writes to a disk, say) and nothing more of the main channel is consumed; each of them
 * ends with the guest's answer and with nothing else, so a guest is never at two works at a time. A guest in this process answers at once.
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
     * The guest takes over its device state: after EOF with everything else, after PACKAGED before pages are asked for. A channel that is lost meanwhile does
     * not stop it: the source may have nobody else to turn to.
     *
     * @param postcopy after PACKAGED, else after EOF
     * @param returnPath OPEN_RETURN_PATH had come
     * @param channel the main channel is still there
     */
    record Loading(boolean postcopy, boolean returnPath, boolean channel) implements DestinationState {
        @Override
        public MigrationStatus status() {
            return postcopy && !channel ? MigrationStatus.POSTCOPY_PAUSED : MigrationStatus.ACTIVE;
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

    /**
     * Everything has come in postcopy, and the guest makes sure of it.
     *
     * @param channel the main channel is still there: it hears the end
     */
    record Finishing(boolean channel) implements DestinationState {
        @Override
        public MigrationStatus status() {
            return channel ? MigrationStatus.POSTCOPY_ACTIVE : MigrationStatus.POSTCOPY_PAUSED;
        }
    }

    /**
     * Postcopy, no channel: the guest's storage has failed, and the guest goes back to what is sure.
     *
     * @param ended everything had come
     */
    record Mending(boolean ended) implements DestinationState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.POSTCOPY_PAUSED;
        }
    }

    /** What a paused destination's storage needs before a recovery can go on; migrate-recover tries it. */
    enum Need {
        NOTHING,
        /** The device state is in memory only. */
        LOADING,
        /** What was received is not certain. */
        MENDING,
        /** Everything had come; a recovery may go on as well. */
        FINISHING
    }

    /** The channel is lost; the guest runs as far as its pages are here. */
    record Paused(Need need) implements DestinationState {
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
     * Paused before the source is known to have seen the end of a recovery's handshake, and it would not survive the end of its connection
     * ({@link Parameters#peerMayBe72}): the channel is held, and used again at its first sign of life.
     *
     * @param asked as in {@link Recover}; not to be changed
     * @param resumed RESUME_ACK was answered; nothing shows that it has come
     */
    record Held(BitSet asked, boolean resumed) implements DestinationState {
        @Override
        public MigrationStatus status() {
            return MigrationStatus.POSTCOPY_PAUSED;
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
            case PostcopyActive _, Finishing _, Mending _, Paused _, Recover _, Held _ -> true;
            // A source without a return path believes that it is done.
            case Loading loading -> loading.postcopy() || !loading.returnPath();
            case Idle _, Listening _, Active _, Completed _, Failed _ -> false;
        };
    }

    /** Whether the guest is at work, so that what comes on the main channel has to wait. */
    default boolean working() {
        return switch (this) {
            case Loading _, Finishing _, Mending _ -> true;
            case Idle _, Listening _, Active _, PostcopyActive _, Paused _, Recover _, Held _, Completed _, Failed _ ->
                false;
        };
    }

    /** Whether the guest is at work while the main channel is there, whose source hears nothing meanwhile. */
    default boolean keepsWaiting() {
        return switch (this) {
            case Loading loading -> loading.channel() && loading.returnPath();
            case Finishing(boolean channel) -> channel;
            case Idle _,
                    Listening _,
                    Active _,
                    PostcopyActive _,
                    Mending _,
                    Paused _,
                    Recover _,
                    Held _,
                    Completed _,
                    Failed _ -> false;
        };
    }

    /** What is to be done with a page that comes on the main or the preempt channel. */
    default PageRule pages() {
        return switch (this) {
            case Active active -> active.memory() ? PageRule.STORE : PageRule.NONE;
            case PostcopyActive _ -> PageRule.PLACE;
            case Completed completed -> completed.answering() ? PageRule.DROP : PageRule.NONE;
            case Finishing _ -> PageRule.DROP;
            case Idle _, Listening _, Loading _, Mending _, Paused _, Recover _, Held _, Failed _ -> PageRule.NONE;
        };
    }

    /** Blocks whose received bitmap the source has asked for on its recovery connection, or null if it may not ask now; not to be changed. */
    default @Nullable BitSet askedNow() {
        // Not named as the records' component: their accessor would take this method's place.
        return switch (this) {
            case Recover(BitSet asked) -> asked;
            case Completed(boolean answering, BitSet asked) -> answering ? asked : null;
            case Idle _,
                    Listening _,
                    Active _,
                    Loading _,
                    PostcopyActive _,
                    Finishing _,
                    Mending _,
                    Paused _,
                    Held _,
                    Failed _ -> null;
        };
    }

    /** Whether there is a source that can hear an answer. */
    default boolean heard() {
        return switch (this) {
            case Active _, PostcopyActive _, Recover _ -> true;
            case Completed completed -> completed.answering();
            case Loading loading -> loading.channel();
            case Finishing(boolean channel) -> channel;
            case Idle _, Listening _, Mending _, Paused _, Held _, Failed _ -> false;
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
            case Idle _,
                    Listening _,
                    Loading _,
                    Finishing _,
                    Mending _,
                    Paused _,
                    Recover _,
                    Held _,
                    Completed _,
                    Failed _ -> false;
        };
    }
}
