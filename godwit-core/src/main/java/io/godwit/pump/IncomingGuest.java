// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.wire.StreamMessage;
import org.jspecify.annotations.Nullable;

/**
 * The guest that an incoming migration brings, or the place where it is kept. Called on the migration's loop only; nothing here waits for a disk to be sure of anything.
 *
 * <p>{@link #load}, {@link #finish} and {@link #mend} are works: each gives exactly one answer, from inside the call or later, on the loop too. Never more than one is
 * asked for at a time, and while one is under way no page comes.
 */
public interface IncomingGuest {
    /** Hears how a work has ended. */
    interface Answer {
        void done();

        /**
         * @param reason a sentence
         * @param again the storage failed, not the source: the same may succeed later
         */
        void failed(String reason, boolean again);

        /** Whether it has failed or not cannot be found out for now, so the source may hear nothing. The answer follows. */
        void undecided(String reason);
    }

    /** Why this machine cannot be taken, as a sentence, or null. */
    @Nullable
    String unfit(StreamMessage.Configuration configuration);

    /**
     * The source's block list has come, and pages follow.
     *
     * @return why it cannot be taken, as a sentence, or null: then {@link #memory} takes pages
     * @throws StorageException if there is no room for it, or the like
     */
    @Nullable
    String adopt(Arrival arrival);

    /** The memory; after {@link #adopt}, or where an earlier process left the guest in postcopy. */
    PageSink memory();

    /** Whether {@link #memory} may be asked for. */
    boolean known();

    /** Pages that the guest waits for. */
    MissingPages missingPages();

    /** Forgets whatever an attempt has left that never became this side's. May be called when there is nothing to forget. */
    void reset();

    /**
     * Takes over the device state. When it is done the guest is this side's, whatever happens to this process if it is one that is kept on disk.
     *
     * @param postcopy pages are still to come; else everything is here
     * @param confirmed the source cannot run the guest again, whatever it hears
     */
    void load(MachineState state, boolean postcopy, boolean confirmed, Answer answer);

    /**
     * Postcopy: the last page has come; makes sure of everything.
     *
     * @param confirmed the source cannot run the guest again, whatever it hears
     */
    void finish(boolean confirmed, Answer answer);

    /** Postcopy, after a {@link StorageException} or a failed {@link #finish}: forgets what is not certain. Received bitmaps may shrink. */
    void mend(Answer answer);
}
