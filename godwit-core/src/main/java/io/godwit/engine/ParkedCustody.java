// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.guest.ParkedGuest;
import io.godwit.pump.Departure;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * To whom a parked guest belongs, as its store says it durably. "Stopped" means here that the statement that it leaves is on disk: the commit point
 * comes after that. Used by the loop only; what the worker has to tell comes back to the loop.
 */
final class ParkedCustody implements Custody {
    private final ParkedGuest guest;
    private final ParkedTenant.Disk disk;
    private final Runnable stopped;
    private final Consumer<String> notStopped;
    private final Consumer<String> notices;
    private Holder holder = Holder.HERE;
    /** Counts what was asked of the store, so that the answer to something that was given up is told from a later one. */
    private long asked;

    ParkedCustody(
            ParkedGuest guest,
            ParkedTenant.Disk disk,
            Runnable stopped,
            Consumer<String> notStopped,
            Consumer<String> notices) {
        this.guest = guest;
        this.disk = disk;
        this.stopped = stopped;
        this.notStopped = notStopped;
        this.notices = notices;
    }

    @Override
    public Holder holder() {
        return holder;
    }

    @Override
    public String runState() {
        return switch (holder) {
            case HERE -> "paused";
            case AWAITED -> "inmigrate";
            case SWITCHING -> "finish-migrate";
            case GONE -> "postmigrate";
        };
    }

    @Override
    public @Nullable String whyNeverRun() {
        return "a parked guest runs nowhere: migrate it to where it shall run";
    }

    @Override
    public void await() {
        holder = Holder.AWAITED;
    }

    /** An earlier process has let it go. */
    void left() {
        holder = Holder.SWITCHING;
    }

    @Override
    public void run() {
        throw new IllegalStateException("a parked guest cannot run");
    }

    @Override
    public void stop() {
        // It never runs.
    }

    @Override
    public void arrived() {
        holder = Holder.HERE;
    }

    @Override
    public void stopForMigration(Departure departure) {
        holder = Holder.SWITCHING;
        long mine = ++asked;
        disk.work(
                () -> guest.leave(departure),
                () -> {
                    if (mine == asked) {
                        stopped.run();
                    }
                },
                reason -> {
                    if (mine == asked) {
                        notStopped.accept("the guest cannot leave: " + reason);
                    }
                });
    }

    @Override
    public void giveBack() {
        if (holder != Holder.HERE) {
            holder = Holder.HERE;
            asked++;
            disk.work(
                    guest::stay,
                    () -> {},
                    reason -> notices.accept("the guest stays, but its store cannot say so durably: " + reason));
        }
    }

    @Override
    public void handedOver(boolean confirmed) {
        holder = Holder.GONE;
        asked++;
        if (confirmed) {
            disk.work(
                    guest::gone,
                    () -> {},
                    reason -> notices.accept("the guest is gone, but its store cannot say so durably: " + reason));
        } else {
            notices.accept("nothing confirms that the guest has arrived: its store goes on saying what it says");
        }
    }
}
