// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.MigrationInfo;
import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import io.godwit.peer.MigrationTerms;
import io.godwit.peer.PeerException;
import io.godwit.peer.PeerState;
import io.godwit.peer.QemuSource;
import io.godwit.peer.SourceVerdict;
import io.godwit.protocol.MigrationStatus;
import io.godwit.qmp.QmpVersion;
import io.godwit.store.OsDisk;
import io.godwit.store.StoreException;
import io.godwit.store.StoreState;
import io.godwit.store.VmStore;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A VM comes into the store. */
final class Arriving extends Journey {
    private static final Duration VERDICT = Duration.ofSeconds(30);
    private static final Duration NOTICES = Duration.ofSeconds(10);
    /** How long a peer may be out of reach, or have given up, before nobody is waited for any longer, in ns. */
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(10);

    /** How long nothing may come in postcopy before the source is asked whether it still has a channel, in ns. */
    private static final long QUIET = TimeUnit.SECONDS.toNanos(1);

    private final Plan plan;
    private final @Nullable QemuSource source;
    private MigrationAddress target;
    private boolean switched;
    private boolean cancelled;
    private boolean told;
    private long troubleSince = -1;
    private long lastTransferred = -1;
    private long lastCame = System.nanoTime();

    /**
     * What was asked for.
     *
     * @param listen where the source is waited for
     * @param reach the address at which the source reaches that, made of the one that is really listened on
     */
    record Plan(
            MigrationAddress listen,
            UnaryOperator<MigrationAddress> reach,
            Mode mode,
            MigrationTerms terms,
            int recoveries) {}

    Arriving(Station station, Plan plan, @Nullable QemuSource source) {
        super(station, plan.recoveries());
        this.plan = plan;
        this.source = source;
        this.target = plan.listen();
    }

    @Override
    boolean peerMayBe72() {
        return source == null || source.peer().identity().version().mayBe72();
    }

    @Override
    void begin() throws CommandRefused, PeerException {
        boolean interrupted = station.state() instanceof StoreState.ReceivingPostcopy;
        if (interrupted) {
            station.endpoint().migrateRecover(plan.listen());
        } else {
            Advice.before(plan.terms(), source).forEach(this::note);
            if (source != null) {
                source.prepare(plan.terms());
            }
            station.endpoint().migrateIncoming(plan.listen());
        }
        List<Address> listening = station.endpoint().info().listening();
        MigrationAddress here = here();
        target = plan.reach().apply(here);
        station.lines()
                .ready(
                        station.served(),
                        listening.stream().map(Address::toString).toList(),
                        (interrupted ? "waits for the rest of the VM at " : "waits for a VM at ")
                                + here
                                + (station.served().isEmpty()
                                        ? ""
                                        : "; QMP at " + String.join(", ", station.served())));
        if (source == null && target instanceof MigrationAddress.Local) {
            return; // it comes by itself, or the operator has seen to it
        }
        if (source == null) {
            note("at the source's QMP: migrate {\"uri\": \"" + target + "\""
                    + (interrupted ? ", \"resume\": true}" : "}"));
        } else if (!interrupted) {
            source.migrate(target);
        }
    }

    @Override
    @Nullable
    Outcome underway(MigrationInfo info) {
        if (source == null) {
            // A recovery went on: the next pause has to be listened in again, and told.
            told = told && info.status() != MigrationStatus.POSTCOPY_ACTIVE;
            return null;
        }
        told = false;
        boolean before = revocable(info);
        try {
            PeerState state = before ? source.peer().state() : null;
            if (state != null && state.is("failed", "cancelled", "completed")) {
                return since("the source says: " + state, info);
            }
            if (state != null && plan.mode() == Mode.POSTCOPY && !switched && state.is("active")) {
                switched = true;
                source.startPostcopy();
            }
            troubleSince = -1;
            follow(info, source);
            return null;
        } catch (PeerException e) {
            return before ? since(String.valueOf(e.getMessage()), info) : null;
        }
    }

    /**
     * A source that sends no PINGs is not silent for this end as long as it owes no page, and what its kernel says when it gives a connection up may get lost: then it is paused, nothing comes any more,
     * and this end waits for ever. So it is asked.
     */
    private void follow(MigrationInfo info, QemuSource from) throws PeerException {
        long now = System.nanoTime();
        boolean comes = info.ram().transferred() != lastTransferred;
        if (info.status() != MigrationStatus.POSTCOPY_ACTIVE || comes) {
            lastTransferred = info.ram().transferred();
            lastCame = now;
        }
        if (now - lastCame < QUIET) {
            return;
        }
        lastCame = now;
        PeerState state = from.peer().state();
        if (state.is("postcopy-paused", "uncertain")) {
            try {
                station.endpoint().migratePause();
                note("the source has lost the channel, and this end had not noticed: " + state);
            } catch (CommandRefused e) {
                note("the source has lost the channel, and this end has moved on meanwhile: " + e.getMessage());
            }
        }
    }

    /** Whatever came of it comes to the endpoint too, and soon; if nothing does, nobody will come. */
    private @Nullable Outcome since(String trouble, MigrationInfo info) {
        long now = System.nanoTime();
        if (troubleSince < 0) {
            troubleSince = now;
        }
        return (now - troubleSince < PATIENCE && !cancelled) || info.status() == MigrationStatus.ACTIVE
                ? null
                : Outcome.failed("no VM has come: " + trouble);
    }

    @Override
    Outcome completed(MigrationInfo info) {
        StoreState state = station.state();
        if (state instanceof StoreState.Parked) {
            return parked();
        }
        if (plan.listen() instanceof MigrationAddress.FileRange file) {
            return Outcome.unproven("the VM is parked in " + folder()
                    + ", but whoever wrote " + file
                    + " may run it still, and the file can be loaded again: see that neither happens, then run 'godwit store confirm "
                    + folder() + "'");
        }
        if (source == null) {
            return Outcome.unproven("the VM is parked in " + folder()
                    + ", but a QEMU resumes it if our last word did not reach it: see that query-migrate says 'completed' at the source,"
                    + " then run 'godwit store confirm " + folder() + "'");
        }
        SourceVerdict verdict;
        try {
            verdict = source.verdict(VERDICT);
        } catch (PeerException e) {
            return unconfirmed(String.valueOf(e.getMessage()));
        }
        try {
            if (verdict.provesThatItLeft()) {
                station.store().confirm();
                return parked();
            }
            return switch (verdict.fate()) {
                case RUNS_HERE, STOPPED_HERE -> {
                    station.store().disown(verdict.sentence());
                    yield Outcome.failed("the VM is not parked, its source took it back: " + verdict.sentence());
                }
                case LEFT, GONE, AWAITS_RECOVERY, UNDECIDED, REPLACED, UNREACHABLE -> unconfirmed(verdict.sentence());
            };
        } catch (StoreException e) {
            return unconfirmed("what the source says cannot be written down: " + e.getMessage());
        }
    }

    private Outcome parked() {
        return Outcome.done("parked", "the VM is parked in " + folder());
    }

    private Outcome unconfirmed(String why) {
        return Outcome.unproven("the VM is parked in " + folder() + ", but its source may have resumed it (" + why
                + "): see to the source, then run 'godwit store confirm " + folder() + "'");
    }

    private String folder() {
        return station.store().folder().toString();
    }

    @Override
    Outcome failed(MigrationInfo info) {
        String why = cancelled
                ? "cancelled"
                : "the VM was not parked: " + Objects.requireNonNullElse(info.errorDesc(), "the migration failed");
        if (plan.listen() instanceof MigrationAddress.FileRange file) {
            return Outcome.failed(why + "; " + file + " is as it was");
        }
        if (source == null && plan.listen() instanceof MigrationAddress.Local) {
            return Outcome.failed(why); // whether there is a source behind it is not known here
        }
        if (source == null) {
            return Outcome.failed(why + "; it goes on at its source");
        }
        try {
            SourceVerdict verdict = source.verdict(NOTICES);
            return Outcome.failed(why + "; " + verdict.sentence());
        } catch (PeerException e) {
            return Outcome.failed(why + "; what became of the source is not known: " + e.getMessage());
        }
    }

    @Override
    @Nullable
    Outcome paused(MigrationInfo info) {
        if (source == null) {
            return waitForOperator();
        }
        if (exhausted() && !info.extra().held()) {
            return Outcome.unfinished(
                    "the VM could not be recovered for now (" + lastTrouble(info) + "): " + standing());
        }
        if (!mayTry()) {
            return null;
        }
        try {
            SourceVerdict verdict = source.verdict(NOTICES);
            switch (verdict.fate()) {
                case AWAITS_RECOVERY -> recover();
                case UNDECIDED -> breakIt(verdict, info);
                case GONE -> {
                    return Outcome.failed("the rest of the VM's memory is lost: " + verdict.sentence()
                            + "; what has come is in " + folder());
                }
                case RUNS_HERE, STOPPED_HERE -> {
                    PeerState last = verdict.last();
                    if (last != null && last.is("failed", "cancelled")) {
                        return takenBack(verdict);
                    }
                    trying();
                    trouble("no recovery: " + verdict.sentence());
                }
                case LEFT, REPLACED, UNREACHABLE -> {
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

    /**
     * From 11 on a QEMU takes its guest back if the channel ends before it hears that the device state was loaded here. That the migration has failed there, and not only that
     * a guest runs, is the proof: a new process knows of no migration.
     */
    private Outcome takenBack(SourceVerdict verdict) {
        station.close();
        try (VmStore store = VmStore.openExisting(
                new OsDisk(), station.store().folder(), Clock.systemUTC(), QmpVersion.GODWIT.packageName())) {
            store.disown(verdict.sentence());
        }
        return Outcome.failed("the VM is not parked, its source took it back: " + verdict.sentence());
    }

    private void recover() throws CommandRefused, PeerException {
        QemuSource peer = Objects.requireNonNull(source);
        note("recovery " + trying());
        station.endpoint().migrateRecover(plan.listen());
        target = plan.reach().apply(here());
        peer.resume(target);
    }

    /** Where it is really waited for. */
    private MigrationAddress here() {
        return switch (plan.listen()) {
            case Address _ -> station.endpoint().info().listening().getLast();
            case MigrationAddress.Local local -> local;
        };
    }

    /** Its side of the channel has not noticed that ours is gone. */
    private void breakIt(SourceVerdict verdict, MigrationInfo info) throws PeerException {
        QemuSource peer = Objects.requireNonNull(source);
        PeerState last = verdict.last();
        boolean stuck = last != null && last.is("postcopy-recover", "postcopy-recover-setup") && peerMayBe72();
        if (stuck && info.extra().held()) {
            waitForHeld();
            return;
        }
        trying();
        if (stuck) {
            trouble("the source's recovery has failed, and a QEMU of this age cannot try again: " + verdict.sentence()
                    + "; its process holds memory that is nowhere else, so leave it as it is");
            return;
        }
        trouble("the source has not noticed the break: " + verdict.sentence());
        peer.pause();
    }

    private @Nullable Outcome waitForOperator() {
        if (!told && mayTry()) {
            told = true;
            try {
                station.endpoint().migrateRecover(plan.listen());
                target = plan.reach().apply(here());
            } catch (CommandRefused e) {
                told = false;
                trouble("it cannot be recovered yet: " + e.getMessage());
                trying();
                return null;
            }
            note("paused; once the source is in postcopy-paused, at its QMP: migrate {\"uri\": \"" + target
                    + "\", \"resume\": true}");
        }
        return null;
    }

    @Override
    @Nullable
    Outcome cancel(MigrationInfo info) throws PeerException {
        cancelled = true;
        if (station.store().undecided()) {
            return Outcome.unfinished(
                    "the VM may be parked: its disk takes neither that nor the opposite. See to the disk, then to 'godwit store show "
                            + folder() + "', before its source gets it back");
        }
        if (source != null) {
            source.cancel();
        } else if (info.status() == MigrationStatus.ACTIVE) {
            note("at the source's QMP: migrate_cancel; a second signal ends this process");
            endWithTheNextSignal();
        } else {
            return Outcome.failed("cancelled; no VM had come");
        }
        return null;
    }

    @Override
    boolean revocable(MigrationInfo info) {
        return switch (info.status()) {
            case NONE, SETUP, ACTIVE -> !(source == null && cancelled);
            default -> false;
        };
    }

    @Override
    String standing() {
        return station.state() instanceof StoreState.ReceivingPostcopy
                ? "some of the VM's memory is still at its source; 'godwit park' with the same arguments goes on"
                : "the VM is its source's";
    }
}
