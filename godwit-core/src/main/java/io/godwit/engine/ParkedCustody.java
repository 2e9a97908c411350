// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.guest.ParkedDeparture;
import io.godwit.pump.Departure;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * To whom a parked guest belongs, as its store says it durably. "Stopped" means here that the statement that it leaves is on disk: the commit point
 * comes after that. Used by the loop only.
 */
final class ParkedCustody implements Custody {
    private final ParkedDeparture departing;
    private final Runnable stopped;
    private final Consumer<String> notStopped;
    private Holder holder = Holder.HERE;

    ParkedCustody(ParkedDeparture departing, Runnable stopped, Consumer<String> notStopped) {
        this.departing = departing;
        this.stopped = stopped;
        this.notStopped = notStopped;
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
        departing.leave(departure, stopped, notStopped);
    }

    @Override
    public void giveBack() {
        if (holder != Holder.HERE) {
            holder = Holder.HERE;
            departing.stay();
        }
    }

    @Override
    public void handedOver(boolean confirmed) {
        holder = Holder.GONE;
        departing.handedOver(confirmed);
    }
}
