// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.guest.Guest;
import java.util.function.Consumer;

/**
 * Who may run the guest, and whether it runs: the operator's wish (stop, cont) and the migration's hold together. Used by the loop only; the end of a stop comes
 * as an event of its own.
 */
final class GuestSwitch {
    /** Where the guest belongs. */
    enum Holder {
        /** This endpoint runs it, or may. */
        HERE,
        /** An incoming migration has not brought it yet. */
        AWAITED,
        /** Stopped for the switchover of an outgoing migration. */
        SWITCHING,
        /** Handed over: it never runs here again but by an operator's word. */
        GONE
    }

    private final Guest guest;
    private final Consumer<Boolean> told;
    private final Runnable stopEnded;
    private Holder holder = Holder.HERE;
    private boolean wanted;
    private boolean heldBack;
    private boolean stopping;
    private boolean migrationWaits;

    /**
     * @param told hears true when the guest was started, false when it has stopped
     * @param stopEnded called from a guest's thread when a stop has ended: posts an event that leads to {@link #stopEnded}
     */
    GuestSwitch(Guest guest, Consumer<Boolean> told, Runnable stopEnded) {
        this.guest = guest;
        this.told = told;
        this.stopEnded = stopEnded;
    }

    Holder holder() {
        return holder;
    }

    /** The run state word the guest has for its destination: whether it shall run there. */
    String stateToMove() {
        return wanted ? "running" : "paused";
    }

    /** QEMU's word for what is. */
    String runState() {
        return switch (holder) {
            case HERE -> guest.isRunning() && !stopping ? "running" : wanted ? "running" : "paused";
            case AWAITED -> "inmigrate";
            case SWITCHING -> "finish-migrate";
            case GONE -> "postmigrate";
        };
    }

    void await() {
        holder = Holder.AWAITED;
        wanted = false;
    }

    /** The operator wants it to run; only while the guest is {@link Holder#HERE}. */
    void run() {
        wanted = true;
        settle();
    }

    /**
     * The operator wants it stopped. Where it is stopped anyway the wish is kept: a guest that is given back, or that arrives here or at its destination, stays
     * stopped.
     */
    void stop() {
        wanted = false;
        heldBack = holder == Holder.AWAITED;
        settle();
    }

    /** An incoming migration has brought it. */
    void arrived(boolean run) {
        holder = Holder.HERE;
        wanted = run && !heldBack;
        settle();
    }

    /** The migration needs it stopped; {@link #stopEnded} then says so. */
    void stopForMigration() {
        holder = Holder.SWITCHING;
        migrationWaits = true;
        if (guest.isRunning() || stopping) {
            settle();
        } else {
            stopEnded.run();
        }
    }

    /** The migration gives it back. */
    void giveBack() {
        if (holder != Holder.HERE) {
            holder = Holder.HERE;
            migrationWaits = false;
            settle();
        }
    }

    /** Past the commit point. */
    void handedOver() {
        holder = Holder.GONE;
    }

    /** A stop has ended. True if the migration waited for it. */
    boolean stopEnded() {
        if (stopping) {
            stopping = false;
            told.accept(false);
        }
        settle();
        boolean waited = migrationWaits && holder == Holder.SWITCHING;
        migrationWaits = false;
        return waited;
    }

    private void settle() {
        boolean run = holder == Holder.HERE && wanted;
        if (stopping) {
            return;
        }
        if (run && !guest.isRunning()) {
            guest.start();
            told.accept(true);
        } else if (!run && guest.isRunning()) {
            stopping = true;
            guest.stop(stopEnded);
        }
    }
}
