// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.page.PageBitmap;
import io.godwit.protocol.DestinationMachine;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.SourceMachine;
import io.godwit.protocol.SourceState;
import io.godwit.pump.Outbox;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What must always hold: DESIGN's rules, looked at after every event. Each has a mutant in the tests that it catches. */
final class Invariants {
    /** No outbox may hold more: a few batches of pages, or all bitmaps and as much in answers. */
    private static final long MOST_PENDING = 3 << 20;
    /** Connections that one endpoint holds at a time: the channels, the candidates, those that leave. */
    private static final int MOST_CONNECTIONS = 64;

    /** The loop takes a moment. */
    private static final long LATE_NANOS = 10_000_000;

    private final World world;
    private final PageBitmap[] receivedBefore;
    private MigrationStatus sourceStatus = MigrationStatus.NONE;
    private MigrationStatus destinationStatus = MigrationStatus.NONE;
    private @Nullable SourceMachine machine;
    private @Nullable DestinationMachine incoming;
    private long sourceLate = Long.MAX_VALUE;
    private long destinationLate = Long.MAX_VALUE;
    private boolean committed;
    private boolean arrived;

    Invariants(World world) {
        this.world = world;
        this.receivedBefore = new PageBitmap[world.setup().blocks().size()];
    }

    void sourceStatus(MigrationStatus from, MigrationStatus to) {
        if (world.source().machine() != machine) {
            machine = world.source().machine();
            sourceStatus = MigrationStatus.NONE;
            committed = false;
        }
        transition("source", sourceStatus, from, to, Transitions.SOURCE);
        boolean over = to == MigrationStatus.FAILED || to == MigrationStatus.CANCELLING;
        if (over && committed && !world.source().resolvedHere()) {
            throw new Violation("the source goes to " + to + " after the commit point, and no operator said so");
        }
        if (to == MigrationStatus.COMPLETED && world.setup().source().returnPath() && !arrived) {
            throw new Violation("the source has completed, and the destination has no guest");
        }
        sourceStatus = to;
    }

    void destinationStatus(MigrationStatus from, MigrationStatus to) {
        if (world.destination().machine() != incoming) {
            incoming = world.destination().machine();
            destinationStatus = MigrationStatus.NONE;
        }
        transition("destination", destinationStatus, from, to, Transitions.DESTINATION);
        destinationStatus = to;
        if (to == MigrationStatus.COMPLETED) {
            if (!arrived) {
                throw new Violation("the destination has completed without a guest");
            }
            allPagesRight("when it completed");
            world.rules().taken(true);
            if (!world.destination().sure()) {
                throw new Violation("the destination has completed, and its disk has not all of it");
            }
        }
        if (to == MigrationStatus.FAILED) {
            world.rules().refused();
        }
    }

    private static void transition(
            String side,
            MigrationStatus known,
            MigrationStatus from,
            MigrationStatus to,
            Map<MigrationStatus, Set<MigrationStatus>> table) {
        if (known != from || !table.getOrDefault(from, Set.of()).contains(to)) {
            throw new Violation("the " + side + " goes from " + from + " to " + to + ", where the status was " + known
                    + " and may become " + table.getOrDefault(known, Set.of()));
        }
    }

    /** A page was placed at the destination after LISTEN. */
    void placed(int page) {
        SimMemory there = world.destination().memory();
        if (!world.truth().matches(page, there.array(page), there.offset(page))) {
            throw new Violation(
                    there.name(page) + " was received, and it is not what the source had at the switchover");
        }
    }

    /** The destination starts its guest. */
    void guestArrives() {
        arrived = true;
        world.rules().taken(false);
        if (!world.destination().sure()) {
            throw new Violation("the guest is the destination's, and its disk does not have the device state");
        }
        if (world.source().guest().running()) {
            throw new Violation("the guest starts at the destination and still runs at the source");
        }
        SimMemory there = world.destination().memory();
        for (int page = 0; page < world.truth().pages(); page++) {
            if (there.present(page) && !world.truth().matches(page, there.array(page), there.offset(page))) {
                throw new Violation(there.name(page) + " counts as received when the guest starts, and it is stale");
            }
        }
    }

    /** A new process is at the source, with what its disk has. */
    void sourceBegins() {
        machine = world.source().machine();
        sourceStatus = world.source().state().status();
        sourceLate = Long.MAX_VALUE;
    }

    /** A new process is at the destination, or none. */
    void destinationBegins() {
        incoming = world.destination().machine();
        destinationStatus = world.destination().state().status();
        destinationLate = Long.MAX_VALUE;
    }

    /** Somewhere is a new process. */
    void restarted() {
        world.rules().restarted(committed && !world.source().resolvedHere(), arrived);
        committed = machine == null ? world.source().state() instanceof SourceState.Completed : machine.committed();
    }

    /** A disk that failed takes back what it was not sure of. */
    void forgotten() {
        Arrays.fill(receivedBefore, null);
    }

    void check() {
        guests();
        statuses();
        memories();
        pausedHoldsNothing();
        waitsEnd();
        deadlinesKept();
        queues();
    }

    private void guests() {
        SourceEnd source = world.source();
        SourceMachine now = source.machine();
        boolean here = source.guest().running();
        if (here && world.destination().guest().running()) {
            throw new Violation("the guest runs at both ends");
        }
        if (here && arrived) {
            throw new Violation("the guest runs at the source after it had started at the destination");
        }
        world.rules().check(arrived);
        if (now != null && now == machine) {
            if (now.committed() && !committed) {
                world.rules().committed();
            }
            if (committed && !now.committed() && !source.resolvedHere()) {
                throw new Violation("the source was past the commit point and no longer is: " + now.state());
            }
            committed = now.committed();
        }
        if (committed && here) {
            throw new Violation("the guest runs at the source past the commit point");
        }
    }

    private void statuses() {
        MigrationStatus source = world.source().state().status();
        if (source != sourceStatus
                && world.source().machine() == machine
                && world.source().alive()) {
            throw new Violation("the source is in " + source + " and said " + sourceStatus);
        }
        if (world.destination().state().status() != destinationStatus) {
            throw new Violation(
                    "the destination is in " + world.destination().state() + " and said " + destinationStatus);
        }
    }

    private void memories() {
        Truth truth = world.truth();
        SimMemory memory =
                arrived ? world.destination().memory() : world.source().memory();
        for (int page = 0; page < truth.pages(); page++) {
            if (memory.present(page) && !truth.looksRight(page, memory.array(page), memory.offset(page))) {
                throw new Violation(memory.name(page) + " is not what the guest has written there");
            }
        }
        SimMemory there = world.destination().memory();
        if (there.postcopy()) {
            for (int block = 0; block < receivedBefore.length; block++) {
                neverUnsaid(block, there.received(block));
            }
        }
    }

    private void neverUnsaid(int block, PageBitmap received) {
        PageBitmap before = receivedBefore[block];
        if (before == null) {
            receivedBefore[block] = received.copy();
            return;
        }
        for (int w = 0; w < received.wordCount(); w++) {
            if ((before.word(w) & ~received.word(w)) != 0) {
                throw new Violation("block " + block + " has fewer received pages than before");
            }
            before.setWord(w, received.word(w));
        }
    }

    private void pausedHoldsNothing() {
        SourceState source = world.source().state();
        boolean mayHold = source instanceof SourceState.Held
                ? shown("source", world.source().holdsChannel())
                : ChannelHolders.mayHold(source);
        for (SimEndpoint.Conn conn : world.source().connections()) {
            if (!mayHold && !conn.leaving()) {
                throw new Violation("the source is in " + source + " and holds " + conn.link());
            }
        }
        DestinationState destination = world.destination().state();
        boolean mayTalk = destination instanceof DestinationState.Held
                ? shown("destination", world.destination().session().holdsChannel())
                : ChannelHolders.mayHold(destination);
        for (SimEndpoint.Conn conn : world.destination().connections()) {
            if (!mayTalk && !conn.leaving() && world.destination().outbox(conn.id) != null) {
                throw new Violation("the destination is in " + destination + " and its main channel is " + conn.link());
            }
        }
        heldIsThere(world.source(), source instanceof SourceState.Held);
        heldIsThere(world.destination(), destination instanceof DestinationState.Held);
    }

    /** A paused side holds no channel but one that it shows as held. */
    private static boolean shown(String side, boolean shown) {
        if (!shown) {
            throw new Violation("the " + side + " is paused and holds a channel, and does not show it");
        }
        return true;
    }

    private static void heldIsThere(SimEndpoint end, boolean held) {
        if (held && end.connections().stream().noneMatch(conn -> end.outbox(conn.id) != null)) {
            throw new Violation("the " + end.name() + " says that it holds the channel of a Recover, and has none");
        }
    }

    /** Deadlines are on unless a parameter turns them off, and then an operator is the event that ends the wait. */
    private void waitsEnd() {
        SourceMachine source = world.source().machine();
        if (source != null) {
            boolean handshake =
                    source.state() instanceof SourceState.RecoverSetup || source.state() instanceof SourceState.Recover;
            if (handshake
                    && world.source().parameters().handshakeTimeoutMillis() > 0
                    && source.nextTick() == Long.MAX_VALUE) {
                throw new Violation("the source waits in " + source.state() + " without a deadline");
            }
        }
        DestinationState destination = world.destination().state();
        boolean handshake = destination instanceof DestinationState.Recover
                || (destination instanceof DestinationState.Completed completed && completed.answering());
        if (handshake
                && world.destination().parameters().handshakeTimeoutMillis() > 0
                && world.destination().machine().nextTick(0) == Long.MAX_VALUE) {
            throw new Violation("the destination waits in " + destination + " without a deadline");
        }
    }

    /** A deadline that has passed is acted on by the next turn of the loop. */
    private void deadlinesKept() {
        SourceMachine source = world.source().machine();
        sourceLate = late(source == null ? Long.MAX_VALUE : source.nextTick(), sourceLate);
        destinationLate = late(world.destination().session().nextTick(), destinationLate);
        if (world.queue().now() - Math.min(sourceLate, destinationLate) > LATE_NANOS) {
            throw new Violation("a deadline has passed and nothing came of it: the source is in "
                    + world.source().state() + ", the destination in "
                    + world.destination().state());
        }
    }

    private long late(long due, long lateSince) {
        return due > world.queue().now()
                ? Long.MAX_VALUE
                : Math.min(lateSince, world.queue().now());
    }

    private void queues() {
        bounded(world.source());
        bounded(world.destination());
    }

    private static void bounded(SimEndpoint end) {
        int count = 0;
        for (SimEndpoint.Conn conn : end.connections()) {
            Outbox box = end.outbox(conn.id);
            if (box != null && box.pending() > MOST_PENDING) {
                throw new Violation("the " + end.name() + " keeps " + box.pending() + " bytes for " + conn.link());
            }
            count++;
        }
        if (count > MOST_CONNECTIONS) {
            throw new Violation("the " + end.name() + " holds " + count + " connections");
        }
    }

    /** The destination's memory is the guest's, every byte of it. */
    void allPagesRight(String when) {
        SimMemory there = world.destination().memory();
        for (int page = 0; page < world.truth().pages(); page++) {
            if (!there.present(page)) {
                throw new Violation(there.name(page) + " is not at the destination " + when);
            }
            if (!world.truth().matches(page, there.array(page), there.offset(page))) {
                throw new Violation(there.name(page) + " is wrong at the destination " + when);
            }
        }
    }

    /** The memory that the guest is left with, and that nothing is held open. */
    void wholeAtTheEnd(boolean there) {
        world.rules().atTheEnd(there);
        if (there) {
            allPagesRight("at the end");
        }
        SimMemory here = world.source().memory();
        for (int page = 0; !there && page < world.truth().pages(); page++) {
            if (!world.truth().matches(page, here.array(page), here.offset(page))) {
                throw new Violation(here.name(page) + " is wrong at the source at the end");
            }
        }
        if (!world.source().connections().isEmpty()) {
            throw new Violation("the source still holds "
                    + world.source().connections().get(0).link());
        }
        boolean deadline = world.destination().parameters().handshakeTimeoutMillis() > 0;
        if (deadline && !world.destination().connections().isEmpty()) {
            throw new Violation("the destination still holds "
                    + world.destination().connections().get(0).link());
        }
    }
}
