// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import org.jspecify.annotations.Nullable;

/** What waits to be written to each channel of a source. Used by the migration's loop only. */
final class SourceOutlets {
    /** Bytes of background pages that may wait in precopy. */
    private static final long PRECOPY_BACKLOG = 2L * Outbox.CHUNK;

    private Outbox main = new Outbox();
    private Outbox preempt = new Outbox();
    private final @Nullable MultifdOutgoing multifd;

    /** @param multifd the channels of pages, or null if there are none */
    SourceOutlets(@Nullable MultifdOutgoing multifd) {
        this.multifd = multifd;
    }

    Outbox main() {
        return main;
    }

    Outbox preempt() {
        return preempt;
    }

    /** The channels of pages; null if there are none. */
    @Nullable
    MultifdOutgoing multifd() {
        return multifd;
    }

    /** Some of a multifd channel's bytes were handed to the kernel: once it has all, main may pass the commit point. */
    void multifdWritten() {
        if (multifd != null && multifd.pending() == 0) {
            main.release();
        }
    }

    /** What follows on main is not for the kernel before it has everything of the other channels: one that breaks until then gives the guest back. */
    void awaitMultifd() {
        if (multifd != null && multifd.pending() > 0) {
            main.barrier();
        }
    }

    /** Whether no more pages of precopy are to be made now. */
    boolean full() {
        return main.pending() >= PRECOPY_BACKLOG || (multifd != null && multifd.full());
    }

    /** Whether so little waits to be written that the speed of the pass can be told. */
    boolean nearlyWritten() {
        return main.pending() <= Outbox.CHUNK && (multifd == null || multifd.pending() <= Outbox.CHUNK);
    }

    /** Hands the outbox over to whoever writes out the rest. */
    Outbox takeMain() {
        Outbox taken = main;
        main = new Outbox();
        return taken;
    }

    Outbox takePreempt() {
        Outbox taken = preempt;
        preempt = new Outbox();
        return taken;
    }
}
