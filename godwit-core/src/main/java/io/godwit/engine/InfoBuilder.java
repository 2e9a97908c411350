// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.MigrationInfo.Extra;
import io.godwit.engine.MigrationInfo.Ram;
import io.godwit.engine.MigrationInfo.Requests;
import io.godwit.engine.MigrationInfo.Role;
import io.godwit.protocol.DestinationMachine;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.SourceState;
import io.godwit.pump.DestinationSession;
import io.godwit.pump.DestinationStats;
import io.godwit.pump.SourceSession;
import io.godwit.pump.SourceStats;
import org.jspecify.annotations.Nullable;

/** Reads a loop's state into what operators are shown. Runs on the loop. */
final class InfoBuilder {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private InfoBuilder() {}

    static MigrationInfo build(EndpointLoop loop) {
        SourceSession source = loop.source;
        DestinationSession destination = loop.destination;
        if (source != null) {
            return source(loop, source);
        }
        return destination != null ? destination(loop, destination) : nothing(loop);
    }

    private static MigrationInfo nothing(EndpointLoop loop) {
        return new MigrationInfo(
                null,
                MigrationStatus.NONE,
                null,
                0,
                0,
                0,
                -1,
                Ram.NONE,
                loop.listening.addresses(),
                Requests.NONE,
                Extra.NONE);
    }

    private static MigrationInfo source(EndpointLoop loop, SourceSession session) {
        SourceStats stats = session.stats();
        long now = stats.endedAt() >= 0 ? stats.endedAt() : loop.now();
        long total = millis(stats.startedAt(), now);
        long remaining = session.remainingBytes();
        long transferred = stats.precopyBytes() + stats.downtimeBytes() + stats.postcopyBytes();
        double speed = stats.bytesPerSecond();
        Ram ram = new Ram(
                transferred,
                remaining,
                session.totalBytes(),
                stats.zeroPages(),
                stats.normalPages(),
                stats.dirtyPagesPerSecond(),
                total == 0 ? 0 : transferred * 8.0 / 1000 / total,
                stats.passes(),
                stats.requests(),
                total == 0 ? 0 : (stats.zeroPages() + stats.normalPages()) * 1000 / total,
                stats.precopyBytes(),
                stats.downtimeBytes(),
                stats.postcopyBytes(),
                stats.multifdBytes());
        String why = switch (session.machine().state()) {
            case SourceState.Uncertain uncertain ->
                uncertain(uncertain, session.machine().error());
            case SourceState.Held(SourceState.Recover held)
            when held.origin() != SourceState.Lost.POSTCOPY ->
                uncertain(
                        new SourceState.Uncertain(held.origin(), false),
                        session.machine().error());
            default -> null;
        };
        return new MigrationInfo(
                Role.SOURCE,
                session.machine().status(),
                session.machine().error(),
                total,
                stats.setupDoneAt() < 0 ? total : millis(stats.startedAt(), stats.setupDoneAt()),
                speed == 0 ? 0 : (long) (remaining * 1000 / speed),
                stats.stoppedAt() < 0 || stats.handedOverAt() < 0
                        ? -1
                        : millis(stats.stoppedAt(), stats.handedOverAt()),
                ram,
                loop.listening.addresses(),
                Requests.NONE,
                new Extra(why, 0, stats.recoveries(), 0, null, session.holdsChannel()));
    }

    private static String uncertain(SourceState.Uncertain state, @Nullable String error) {
        String lost = switch (state.origin()) {
            case PRECOPY_UNPROVEN -> "everything was sent, the destination's last word did not come";
            case POSTCOPY_UNPROVEN -> "the device state was sent, nothing proves that the destination has loaded it";
            case POSTCOPY -> "the destination has the guest";
        };
        return lost
                + (error == null ? "" : " (" + error + ")")
                + (state.neverRan()
                        ? "; since then the destination itself has said that it never got the guest and cannot run it"
                        : "");
    }

    private static MigrationInfo destination(EndpointLoop loop, DestinationSession session) {
        DestinationMachine machine = session.machine();
        DestinationStats stats = session.stats();
        long total = stats.startedAt() < 0 ? 0 : millis(stats.startedAt(), loop.now());
        Ram ram = new Ram(
                stats.bytes(),
                session.remainingBytes(),
                session.totalBytes(),
                stats.zeroPages(),
                stats.normalPages(),
                0,
                0,
                0,
                stats.requests(),
                0,
                0,
                0,
                0,
                stats.multifdBytes());
        return new MigrationInfo(
                Role.DESTINATION,
                machine.status(),
                machine.error(),
                total,
                0,
                0,
                -1,
                ram,
                loop.listening.addresses(),
                loop.tenant.requests(),
                new Extra(
                        null,
                        stats.duplicates(),
                        stats.recoveries(),
                        stats.strays(),
                        machine.status() == MigrationStatus.COMPLETED ? machine.confirmed() : null,
                        session.holdsChannel()));
    }

    /** Whether a migration is under way, so that what both ends agreed on may not change. */
    static boolean running(EndpointLoop loop) {
        SourceSession source = loop.source;
        if (source != null) {
            return !source.machine().state().over();
        }
        DestinationSession destination = loop.destination;
        return destination != null
                && switch (destination.machine().state()) {
                    case DestinationState.Idle _, DestinationState.Completed _, DestinationState.Failed _ -> false;
                    case DestinationState.Listening _,
                            DestinationState.Active _,
                            DestinationState.Loading _,
                            DestinationState.PostcopyActive _,
                            DestinationState.Finishing _,
                            DestinationState.Mending _,
                            DestinationState.Paused _,
                            DestinationState.Recover _,
                            DestinationState.Held _ -> true;
                };
    }

    /** What ending the process would lose, as the beginning of a sentence, or null. */
    static @Nullable String whatWouldBeLost(EndpointLoop loop) {
        SourceSession source = loop.source;
        if (source != null && source.machine().holdsGuestData()) {
            return "this side (" + source.machine().status() + ") holds " + (source.remainingBytes() >> 20)
                    + " MiB of the guest's memory that may exist nowhere else";
        }
        DestinationSession destination = loop.destination;
        if (destination != null && destination.machine().holdsGuestData()) {
            return "the guest lives here (" + destination.machine().status() + ") and " + destination.missing()
                    + " of its pages are still at its source";
        }
        return null;
    }

    private static long millis(long from, long to) {
        return from < 0 ? 0 : Math.max(0, (to - from) / NANOS_PER_MILLI);
    }
}
