// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.guest.Guest;
import io.godwit.pump.Departure;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who may run the guest, and whether it runs: the operator's wish (stop, cont) and the migration's hold together. Used by the loop only; the end of a stop comes
 * as an event of its own.
 */
final class GuestSwitch implements Custody {
    private final Guest guest;
    private final Consumer<Boolean> told;
    private final Runnable stopEnded;
    private Holder holder = Holder.HERE;
    private boolean wanted;
    private boolean ran = true;
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

    @Override
    public Holder holder() {
        return holder;
    }

    /** The run state word the guest has for its destination: whether it shall run there. */
    String stateToMove() {
        return wanted ? "running" : "paused";
    }

    @Override
    public String runState() {
        return switch (holder) {
            case HERE -> guest.isRunning() && !stopping ? "running" : wanted ? "running" : "paused";
            case AWAITED -> "inmigrate";
            case SWITCHING -> "finish-migrate";
            case GONE -> "postmigrate";
        };
    }

    @Override
    public @Nullable String whyNeverRun() {
        return null;
    }

    @Override
    public void await() {
        holder = Holder.AWAITED;
        wanted = false;
    }

    @Override
    public void run() {
        wanted = true;
        settle();
    }

    /**
     * The operator wants it stopped. Where it is stopped anyway the wish is kept: a guest that is given back, or that arrives here or at its destination, stays
     * stopped.
     */
    @Override
    public void stop() {
        wanted = false;
        heldBack = holder == Holder.AWAITED;
        settle();
    }

    /** Whether the guest that is about to arrive ran at its source. */
    void comes(boolean running) {
        ran = running;
    }

    @Override
    public void arrived() {
        holder = Holder.HERE;
        wanted = ran && !heldBack;
        settle();
    }

    @Override
    public void stopForMigration(Departure departure) {
        holder = Holder.SWITCHING;
        migrationWaits = true;
        if (guest.isRunning() || stopping) {
            settle();
        } else {
            stopEnded.run();
        }
    }

    @Override
    public void giveBack() {
        if (holder != Holder.HERE) {
            holder = Holder.HERE;
            migrationWaits = false;
            settle();
        }
    }

    @Override
    public void handedOver(boolean confirmed) {
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
