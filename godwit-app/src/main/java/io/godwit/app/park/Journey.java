// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import io.godwit.app.term.ChildCommand;
import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.MigrationInfo;
import io.godwit.json.JsonObject;
import io.godwit.peer.PeerException;
import io.godwit.protocol.MigrationStatus;
import io.godwit.sys.ByteSizes;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One VM's way in or out, followed to its end: whatever happens, the endpoint is asked how it stands, and what is due in that state is done. Runs in one thread; ends with an
 * {@link Outcome}.
 */
abstract class Journey {
    private static final long TICK_MILLIS = 200;
    private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long SHORTEST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** How often all memory may be on the wire in precopy until something is said. */
    private static final int HOPELESS = 4;

    final Station station;
    private final int recoveries;
    /** Tries since a recovery last brought the memory on. */
    private int tried;

    private boolean counted;

    /** At any break, in bytes. */
    private long leastLeft = Long.MAX_VALUE;

    private long nextTry;
    private String lastTrouble = "";
    private long lastProgress = System.nanoTime();
    private long lastTransferred = -1;
    private boolean hinted;
    private boolean stopping;
    private boolean heldTold;
    private boolean slowTold;

    Journey(Station station, int recoveries) {
        this.station = station;
        this.recoveries = recoveries;
    }

    /** Begins, or goes on where an earlier process was ended. */
    abstract void begin() throws CommandRefused, PeerException;

    /** Whether the other end is, or may be, a QEMU that a broken recovery handshake kills: then a connection in one is held. */
    abstract boolean peerMayBe72();

    /** Nothing has ended yet; the other end may have news. Null: go on. */
    abstract @Nullable Outcome underway(MigrationInfo info);

    abstract Outcome completed(MigrationInfo info);

    abstract Outcome failed(MigrationInfo info);

    /** Past the commit point, without a channel: is called again and again, as often as {@link #mayTry} allows. Null: go on. */
    abstract @Nullable Outcome paused(MigrationInfo info);

    /** Before the commit point an operator has enough. Not null: it ends here and now. */
    abstract @Nullable Outcome cancel(MigrationInfo info) throws CommandRefused, PeerException;

    /** Whether nothing is lost and nobody misled if it ends here and now. */
    abstract boolean revocable(MigrationInfo info);

    /** Where the VM is if this process ends now, past the commit point. */
    abstract String standing();

    final Outcome travel() throws CommandRefused, PeerException {
        boolean fragile = peerMayBe72();
        station.endpoint().setParameters(p -> p.withPeerMayBe72(fragile));
        begin();
        while (true) {
            Happening happening = station.next(TICK_MILLIS);
            MigrationInfo info = station.info();
            if (info == null) {
                return Outcome.unfinished("ended by QMP: " + standing());
            }
            Outcome outcome = happening instanceof Happening.Signalled signal ? signalled(signal.name(), info) : null;
            outcome = outcome == null ? step(info) : outcome;
            if (outcome != null) {
                return outcome;
            }
            progress(info);
        }
    }

    private @Nullable Outcome step(MigrationInfo info) {
        return switch (info.status()) {
            case COMPLETED -> completed(info);
            case FAILED, CANCELLED -> failed(info);
            case POSTCOPY_PAUSED, UNCERTAIN -> {
                broken(info.ram().remaining());
                yield paused(info);
            }
            case NONE,
                    SETUP,
                    CANCELLING,
                    ACTIVE,
                    POSTCOPY_ACTIVE,
                    POSTCOPY_RECOVER_SETUP,
                    POSTCOPY_RECOVER,
                    PRE_SWITCHOVER,
                    DEVICE -> underway(info);
        };
    }

    private @Nullable Outcome signalled(String name, MigrationInfo info) {
        if (revocable(info)) {
            note(name + ": cancelling");
            try {
                return cancel(info);
            } catch (CommandRefused | PeerException e) {
                note(name + " cannot be obeyed: " + e.getMessage());
                return null;
            }
        }
        if (!stopping) {
            stopping = true;
            station.lines()
                    .refused(name
                            + ": the VM is between two places, nothing is lost if this ends here, and the same command goes on later;"
                            + " once more to end it");
            return null;
        }
        return Outcome.unfinished(name + ": " + standing());
    }

    /** It was said that the next signal ends this. */
    final void endWithTheNextSignal() {
        stopping = true;
    }

    // ---- recoveries

    /** With less left than at any break before, this is a new one, with all its tries. That has an end: what is left becomes less each time, whatever a rollback or a lost page puts back. */
    private void broken(long left) {
        if (left >= leastLeft) {
            return;
        }
        leastLeft = left;
        tried = 0;
        long soon = System.nanoTime() + SHORTEST_PAUSE_NANOS;
        nextTry = nextTry - soon > 0 ? soon : nextTry;
    }

    /** Whether it is time for another try; the pauses between them become longer. */
    final boolean mayTry() {
        boolean may = System.nanoTime() - nextTry >= 0 && tried < recoveries;
        counted &= !may;
        return may;
    }

    final boolean exhausted() {
        return tried >= recoveries && System.nanoTime() - nextTry >= 0;
    }

    /** A try has begun: it counts once, however often that is said until it is time for the next. */
    final int trying() {
        tried += counted ? 0 : 1;
        counted = true;
        lastTrouble = "";
        nextTry = System.nanoTime() + (SHORTEST_PAUSE_NANOS << Math.min(tried, 4));
        return tried;
    }

    /** The other end would not survive the end of a connection that stands still: nothing is tried and nothing is given up while it is held. */
    final void waitForHeld() {
        nextTry = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
        if (!heldTold) {
            heldTold = true;
            note(
                    "the path stands still in the middle of a recovery: the connection is held (x-godwit-held), because a QEMU before 8.2 does not survive its end;"
                            + " it is used again as soon as the path comes back");
        }
    }

    /** It has come to nothing; the next one comes when it is time for it. */
    final void trouble(String sentence) {
        lastTrouble = sentence;
        note(sentence);
    }

    /** Why the last try came to nothing: it could not begin, or it did, and the migration says what then went wrong. */
    final String lastTrouble(MigrationInfo info) {
        return lastTrouble.isEmpty() ? Objects.requireNonNullElse(info.errorDesc(), "nothing was heard") : lastTrouble;
    }

    // ---- what is told

    final void note(String words) {
        station.lines().say("note", JsonObject.builder().put("text", words).build(), words);
    }

    /** A precopy may never end. */
    private void hint(MigrationInfo info) {
        if (!hinted
                && info.status() == MigrationStatus.ACTIVE
                && info.ram().transferred() > HOPELESS * info.ram().total()) {
            hinted = true;
            note("its memory has come several times by now, so the VM writes about as fast as the network carries:"
                    + " Ctrl-C and --mode postcopy ends that");
        }
    }

    /** The launcher has ciphers compiled well if it sees that there will be some; QMP, a file of options or somebody's JVM options may have known better. */
    private void hintOfCiphers() {
        if (!slowTold && ChildCommand.isQuick() && station.enciphers()) {
            slowTold = true;
            note(
                    "TLS is about six times as slow in this process, which runs without the JVM's optimizing compiler: give --object and --tls-creds"
                            + " on the command line, or GODWIT_JAVA_OPTIONS=-XX:TieredStopAtLevel=4 in the environment");
        }
    }

    private void progress(MigrationInfo info) {
        long now = System.nanoTime();
        MigrationInfo.Ram ram = info.ram();
        long done = ram.total() - ram.remaining();
        if (now - lastProgress < PROGRESS_NANOS || ram.total() == 0 || ram.transferred() == lastTransferred) {
            return;
        }
        lastProgress = now;
        lastTransferred = ram.transferred();
        hint(info);
        hintOfCiphers();
        station.lines()
                .say(
                        "progress",
                        JsonObject.builder()
                                .put("status", info.status().word())
                                .put("done", done)
                                .put("total", ram.total())
                                .put("transferred", ram.transferred())
                                .build(),
                        String.format(
                                Locale.ROOT,
                                "%s: %d %% of %s (%s on the wire)",
                                info.status().word(),
                                done * 100 / ram.total(),
                                ByteSizes.show(ram.total()),
                                ByteSizes.show(ram.transferred())));
    }
}
