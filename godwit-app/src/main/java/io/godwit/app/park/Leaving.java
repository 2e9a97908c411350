// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.EndpointControl.Owner;
import io.godwit.engine.MigrationInfo;
import io.godwit.json.JsonObject;
import io.godwit.net.MigrationAddress;
import io.godwit.peer.DestinationVerdict;
import io.godwit.peer.MigrationTerms;
import io.godwit.peer.PeerException;
import io.godwit.peer.PeerState;
import io.godwit.peer.QemuDestination;
import io.godwit.protocol.MigrationStatus;
import io.godwit.store.StoreState;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A VM leaves the store. */
final class Leaving extends Journey {
    private static final Duration NOTICES = Duration.ofSeconds(10);
    private static final Duration FOREVER = Duration.ofDays(365);

    private final Plan plan;
    private final @Nullable QemuDestination destination;
    /** Another process has begun it, and passed the commit point. */
    private final boolean interrupted;

    private boolean told;
    private volatile long ranAfterMillis = -1;

    /**
     * What was asked for.
     *
     * @param to where the destination is reached
     * @param listen where it is told to listen
     */
    record Plan(
            MigrationAddress to,
            MigrationAddress listen,
            Mode mode,
            boolean asClone,
            MigrationTerms terms,
            int recoveries) {}

    Leaving(Station station, Plan plan, @Nullable QemuDestination destination, boolean interrupted) {
        super(station, plan.recoveries());
        this.plan = plan;
        this.destination = destination;
        this.interrupted = interrupted;
    }

    @Override
    boolean peerMayBe72() {
        return destination == null || destination.peer().identity().version().mayBe72();
    }

    @Override
    void begin() throws CommandRefused, PeerException {
        if (destination != null && !interrupted) {
            Advice.before(plan.terms(), plan.listen(), destination).forEach(this::note);
        }
        station.lines()
                .ready(
                        station.served(),
                        List.of(),
                        (interrupted ? "goes on with the VM's way to " : "brings the VM to ")
                                + plan.to()
                                + (station.served().isEmpty()
                                        ? ""
                                        : "; QMP at " + String.join(", ", station.served())));
        if (interrupted) {
            return;
        }
        MigrationAddress to = plan.to();
        if (destination != null) {
            destination.prepare(plan.terms());
            to = PeerOptions.withPort(to, destination.listen(plan.listen()));
        }
        long start = System.nanoTime();
        if (destination != null) {
            watch(destination, start);
        }
        station.endpoint().migrate(to, false);
    }

    /** Tells when it runs: that is what an operator waits for. */
    private void watch(QemuDestination there, long start) {
        Thread.ofPlatform().daemon().name("godwit-resume").start(() -> {
            try {
                there.peer().await(PeerState::running, "running", FOREVER);
            } catch (PeerException e) {
                return; // it ended, or the command did: both are told elsewhere
            }
            ranAfterMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            station.lines()
                    .say(
                            "runs",
                            JsonObject.builder()
                                    .put("milliseconds", ranAfterMillis)
                                    .build(),
                            "the VM runs at its destination, after " + ranAfterMillis + " ms");
        });
    }

    @Override
    @Nullable
    Outcome underway(MigrationInfo info) {
        if (info.status() == MigrationStatus.POSTCOPY_ACTIVE) {
            told = false;
        }
        return null;
    }

    @Override
    Outcome completed(MigrationInfo info) {
        station.close();
        String after = ranAfterMillis < 0 ? "" : "; it ran after " + ranAfterMillis + " ms";
        StoreState state = station.state();
        return plan.asClone() || state instanceof StoreState.Gone
                ? Outcome.done(
                        "arrived", "the VM has arrived" + after + (plan.asClone() ? "; it stays parked here, too" : ""))
                : Outcome.unproven(
                        "everything was sent" + after + ", but nothing confirms that it has arrived, so the store says "
                                + (state == null ? "nothing" : state.word())
                                + "; your word decides: 'godwit store arrived " + station.folder()
                                + "' or, if it never ran there and never will, 'godwit store take-back'");
    }

    @Override
    Outcome failed(MigrationInfo info) {
        String why = Objects.requireNonNullElse(info.errorDesc(), "cancelled");
        station.close();
        return Outcome.failed(
                station.state() instanceof StoreState.Leaving
                        ? "the VM has not arrived (" + why
                                + "), but the folder still says that it is leaving, since it could not be written: "
                                + "once it can, 'godwit store take-back " + station.folder() + "' parks it again"
                        : "the VM stays parked: " + why);
    }

    @Override
    @Nullable
    Outcome paused(MigrationInfo info) {
        if (info.extra().held()) {
            waitForHeld();
            return null;
        }
        if (destination == null) {
            return waitForOperator(info);
        }
        if (exhausted()) {
            return Outcome.unfinished("the way cannot be finished for now (" + lastTrouble(info) + "): " + standing());
        }
        if (!mayTry()) {
            return null;
        }
        try {
            DestinationVerdict verdict = destination.verdict(NOTICES);
            if (verdict.provesThatItArrived()) {
                note(verdict.sentence());
                station.endpoint().migrateResolve(Owner.DESTINATION_WHOLE);
                return null;
            }
            if (info.status() == MigrationStatus.UNCERTAIN && verdict.provesThatItNeverCame()) {
                note(verdict.sentence());
                station.endpoint().migrateResolve(Owner.SOURCE);
                return null;
            }
            switch (verdict.fate()) {
                case AWAITS_RECOVERY -> recover();
                case UNDECIDED -> {
                    trying();
                    trouble("the destination has not noticed the break: " + verdict.sentence());
                    destination.pause();
                }
                case GONE -> {
                    return lost(verdict, "");
                }
                case GAVE_UP -> {
                    return gaveUp(verdict, info.ram().remaining());
                }
                case WAITS, FAILED, RUNS_HERE, STOPPED_HERE, MOVED_ON, REPLACED, UNREACHABLE -> {
                    trying();
                    trouble("no recovery: " + verdict.sentence());
                }
            }
        } catch (PeerException | CommandRefused e) {
            trying();
            trouble("no recovery: " + e.getMessage());
        }
        return null;
    }

    /** Its process lives. What was sent may have come: then the guest is whole there, and goes on. */
    private Outcome gaveUp(DestinationVerdict verdict, long unsent) {
        if (unsent > 0) {
            return lost(verdict, "end that QEMU first, whose guest stands where it misses a page; ");
        }
        station.close();
        return Outcome.unproven(
                verdict.sentence()
                        + "; but everything was sent before, so look whether the guest works there: if it does, 'godwit store arrived "
                        + station.folder()
                        + "'; if it stands, end that QEMU, and 'godwit store take-back' parks the VM again as it was when it left");
    }

    /** After it may have run: nobody but the operator can say whether the state from before is of use. */
    private Outcome lost(DestinationVerdict verdict, String first) {
        station.close();
        return Outcome.failed("the VM is lost as it ran at its destination: " + verdict.sentence() + "; " + first
                + "the store has it as it was when it left, and 'godwit store take-back' parks that again,"
                + " but its disks may be ahead of it");
    }

    private void recover() throws CommandRefused, PeerException {
        QemuDestination there = Objects.requireNonNull(destination);
        note("recovery " + trying());
        MigrationAddress real = there.recover(plan.listen());
        station.endpoint().migrate(PeerOptions.withPort(plan.to(), real), true);
    }

    /** Nobody knows what the destination does: only the operator can say when it listens. The first try is free where an earlier process was ended. */
    private @Nullable Outcome waitForOperator(MigrationInfo info) {
        if (told) {
            return null;
        }
        told = true;
        String resume = "migrate {\"uri\": \"" + plan.to() + "\", \"resume\": true}";
        note(
                info.status().word()
                        + ": once the destination is in postcopy-paused, at its QMP: migrate-recover {\"uri\": \""
                        + plan.listen() + "\"}, then at this side's: " + resume
                        + (station.served().isEmpty()
                                ? "; this side has no QMP: end it and begin again with --qmp"
                                : "")
                        + "; or, if it says completed or never got the VM: x-godwit-migrate-resolve (owner=destination whole=true, or owner=source)");
        return null;
    }

    @Override
    @Nullable
    Outcome cancel(MigrationInfo info) throws CommandRefused {
        station.endpoint().migrateCancel();
        return null;
    }

    @Override
    boolean revocable(MigrationInfo info) {
        return !interrupted
                && !(station.state() instanceof StoreState.Leaving)
                && switch (info.status()) {
                    case NONE, SETUP, ACTIVE, PRE_SWITCHOVER, DEVICE -> true;
                    default -> false;
                };
    }

    @Override
    String standing() {
        if (station.state() instanceof StoreState.Leaving) {
            return "the VM is leaving and may run at its destination; 'godwit unpark' with the same arguments goes on";
        }
        return "the VM is parked"
                + (ranAfterMillis < 0 && !interrupted
                        ? ""
                        : ", and its copy runs at its destination without all of its memory; 'godwit unpark' with the same arguments goes on");
    }
}
