// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One simulated world: a clock, a network, a guest, and the two endpoints between which it moves. One thread. */
final class World {
    static final String MACHINE = "sim-1";
    static final String OLD_MACHINE = "sim-8.0";

    /** Whose the guest is by rights, once the source's migration has passed its commit point. */
    enum Fate {
        /** The destination never had it and never will. */
        HERE,
        /** The destination has it. */
        THERE,
        /** What is on its way may still decide it. */
        OPEN
    }

    /** Decides how the source's connections go. */
    @FunctionalInterface
    interface Planner {
        /** @param recovery whether the source is in a recovery */
        LinkPlan plan(Channel channel, boolean recovery);
    }

    private final EventQueue queue = new EventQueue();
    private final Setup setup;
    private final Trace trace;
    private final FaultLog faults;
    private final Tap tap;
    private final Truth truth;
    private final SimDevices devices;
    private final SimNetwork network;
    private final SimStorage disk;
    private final Mishaps mishaps;
    private final StoreRules rules;
    private final SourceEnd source;
    private final DestinationEnd destination;
    private final Invariants invariants;
    private final Set<MigrationStatus> sourceSeen = EnumSet.of(MigrationStatus.NONE);
    private final Set<MigrationStatus> destinationSeen = EnumSet.of(MigrationStatus.NONE);
    private final List<SimLink> sourceLinks = new ArrayList<>();
    private Planner planner = (channel, recovery) -> LinkPlan.GOOD;
    private long moved;
    private long statusChanges;
    private int recoveries;
    private final Lives lives = new Lives(this);

    World(Setup setup, SplittableRandom random, Seams seams, @Nullable Consumer<String> lines) {
        this.setup = setup;
        this.trace = new Trace(lines, queue::now);
        this.faults = new FaultLog(trace);
        this.tap = new Tap(trace, setup.blocks(), setup.destination());
        this.truth = new Truth(setup.blocks(), setup.writers());
        this.devices = new SimDevices(truth);
        this.network = new SimNetwork(queue, random.split(), faults);
        this.disk = new SimStorage(setup.disk(), random.split(), queue, faults);
        SimMemory here = new SimMemory(setup.blocks());
        for (int block = 0; block < setup.blocks().size(); block++) {
            here.received(block).setAll();
        }
        SimMemory there = new SimMemory(setup.blocks());
        SplittableRandom life = random.split();
        SimGuest at = new SimGuest("source", SimGuest.Holder.HERE, truth, here, queue, life.split(), setup.pace());
        SimGuest to =
                new SimGuest("destination", SimGuest.Holder.AWAITED, truth, there, queue, life.split(), setup.pace());
        // The guest has lived before: pages of any age, zero ones among them.
        for (int page = 0; page < truth.pages(); page++) {
            for (int n = life.nextInt(6); n > 0; n--) {
                truth.write(page, here.array(page), here.offset(page));
            }
        }
        Keeping keeping = setup.keeping();
        SimStore left = keeping.where() == Keeping.Where.SOURCE
                ? new SimStore(this, "source", keeping.slowest(), random.split(), seams)
                : null;
        SimStore right = keeping.where() == Keeping.Where.DESTINATION
                ? new SimStore(this, "destination", keeping.slowest(), random.split(), seams)
                : null;
        if (left != null) {
            left.fill(truth, here, devices, setup.machine(), setup.guestRuns());
        }
        this.mishaps = new Mishaps(this, random.split());
        this.rules = new StoreRules(this, random.split());
        this.source = new SourceEnd(this, at, here, setup.sourceParameters(), left, seams);
        this.destination = new DestinationEnd(this, to, there, setup.destinationParameters(), right, seams);
        this.invariants = new Invariants(this);
        at.want(setup.guestRuns() && left == null);
    }

    Mishaps mishaps() {
        return mishaps;
    }

    StoreRules rules() {
        return rules;
    }

    /** The end that has a store, or null. */
    @Nullable
    SimEndpoint keeper() {
        return source.store() != null ? source : destination.store() != null ? destination : null;
    }

    /** The processes that have a store. */
    Lives lives() {
        return lives;
    }

    Invariants invariants() {
        return invariants;
    }

    EventQueue queue() {
        return queue;
    }

    Trace trace() {
        return trace;
    }

    FaultLog faults() {
        return faults;
    }

    Truth truth() {
        return truth;
    }

    SimDevices devices() {
        return devices;
    }

    SimNetwork network() {
        return network;
    }

    SimStorage disk() {
        return disk;
    }

    SourceEnd source() {
        return source;
    }

    DestinationEnd destination() {
        return destination;
    }

    Setup setup() {
        return setup;
    }

    void planner(Planner changed) {
        planner = changed;
    }

    /** Grows with everything that moves. */
    long moved() {
        return moved;
    }

    void moves() {
        moved++;
    }

    /** How often either end changed its status. */
    long statusChanges() {
        return statusChanges;
    }

    /** Recoveries that the destination took up. */
    int recoveries() {
        return recoveries;
    }

    Set<MigrationStatus> sourceSeen() {
        return sourceSeen;
    }

    Set<MigrationStatus> destinationSeen() {
        return destinationSeen;
    }

    MigrationOptions sourceOptions(int nonce) {
        return setup.source().withNonce(nonce);
    }

    MigrationOptions destinationOptions() {
        return setup.destination();
    }

    SimLink connect(Channel channel, SimLink.Holder holder) {
        boolean recovery = source.state().status() == MigrationStatus.POSTCOPY_RECOVER_SETUP
                || source.state().status() == MigrationStatus.POSTCOPY_RECOVER;
        LinkPlan plan = planner.plan(channel, recovery);
        SimLink link = network.connect(
                switch (channel) {
                    case MAIN -> recovery ? "recovery" : "main";
                    case PREEMPT -> "preempt";
                    case MULTIFD -> "multifd";
                },
                plan,
                holder,
                accepted -> destination.accept(accepted, "the source"));
        trace.event("network", () -> link + ": " + plan);
        tap.opened(link, channel, recovery);
        sourceLinks.removeIf(old -> !old.alive());
        sourceLinks.add(link);
        return link;
    }

    void wire(SimEndpoint from, SimEndpoint.Conn conn, ByteBuffer bytes, int start, int count) {
        moved++;
        if (trace.on()) {
            tap.bytes(from.name(), conn.link(), conn.end, bytes, start, count);
        }
    }

    String refused(String where, Object input, String why) {
        if (why.isBlank()) {
            throw new Violation("the " + where + " refuses " + input + " without a word");
        }
        trace.event("operator", () -> where + ": " + input + " refused: " + why);
        return why;
    }

    void sourceStatus(MigrationStatus from, MigrationStatus to, String reason) {
        trace.event("source", () -> from + " -> " + to + ": " + reason);
        moved++;
        statusChanges++;
        sourceSeen.add(to);
        invariants.sourceStatus(from, to);
    }

    void destinationStatus(MigrationStatus from, MigrationStatus to, String reason) {
        trace.event("destination", () -> from + " -> " + to + ": " + reason);
        moved++;
        statusChanges++;
        destinationSeen.add(to);
        if (to == MigrationStatus.POSTCOPY_RECOVER) {
            recoveries++;
        }
        invariants.destinationStatus(from, to);
    }

    void placed(int page) {
        invariants.placed(page);
    }

    /** What the destination had received and was not sure of is not received any more. */
    void forgotten() {
        invariants.forgotten();
    }

    void guestArrives() {
        invariants.guestArrives();
    }

    /** The destination's guest begins to run, or to stand, as it did at its source. */
    void goesOn(boolean runs) {
        boolean ran = source.store() == null ? source.guest().wanted() : setup.guestRuns();
        boolean parked = disk.there() || destination.store() != null;
        if (runs != (ran && !parked)) {
            throw new Violation("the guest " + (ran ? "ran" : "stood") + " at its source, and "
                    + (runs ? "runs" : "stands") + " at the destination");
        }
    }

    /** Looks at everything, after an event. */
    void check() {
        invariants.check();
    }

    /** Lets events happen until the time has come, at most so many. False if the number was not enough. */
    boolean runUntil(long time, long mostEvents) {
        long last = queue.done() + mostEvents;
        while (queue.next() <= time) {
            if (queue.done() >= last) {
                return false;
            }
            queue.step();
        }
        // The clock moves on also where nothing happens.
        queue.after(time - queue.now(), () -> {});
        return queue.step();
    }

    /** Whether no parameter turns a deadline off and a silent end is noticed by both. */
    boolean deadlinesOn() {
        Parameters here = source.parameters();
        Parameters there = destination.parameters();
        return setup.source().returnPath()
                && here.handshakeTimeoutMillis() > 0
                && here.livenessTimeoutMillis() > 0
                && here.pingIntervalMillis() > 0
                && there.handshakeTimeoutMillis() > 0
                && there.livenessTimeoutMillis() > 0;
    }

    /** What an operator finds out by asking both ends, and by looking whether anything is still under way. */
    Fate fate() {
        if (destination.ran()) {
            return Fate.THERE;
        }
        if (!destination.alive()) {
            return Fate.OPEN;
        }
        boolean mayCome = destination.state() instanceof DestinationState.Active
                || destination.state() instanceof DestinationState.Loading
                || destination.state() instanceof DestinationState.Paused
                || underWay();
        return mayCome ? Fate.OPEN : Fate.HERE;
    }

    /** Whether something that the source has said may still come to the destination, on a connection that is not accepted yet, too. */
    boolean underWay() {
        return sourceLinks.stream().anyMatch(link -> link.mayDeliver(SimLink.INITIATOR));
    }

    /** All is said and done: sees that the guest is in one place, whole, and runs if it shall, and that nothing is left open. */
    Outcome.End settle(long nanos, long mostEvents) {
        boolean there = destination.ran();
        SimGuest guest = there ? destination.guest() : source.guest();
        SimGuest other = there ? source.guest() : destination.guest();
        if (other.running()) {
            throw new Violation("the guest runs where it should not at the end");
        }
        if (!there && (guest.holder() != SimGuest.Holder.HERE || other.everRan())) {
            throw new Violation("the guest should be the source's at the end and is " + guest.holder());
        }
        if (!runUntil(queue.now() + 5_000_000, mostEvents) || guest.running() != guest.wanted()) {
            throw new Violation("the guest at the " + (there ? "destination" : "source")
                    + (guest.wanted() ? " does not run" : " runs") + " at the end");
        }
        if (guest.waiting() > 0) {
            throw new Violation("a writer of the guest waits for a page at the end");
        }
        guest.want(false);
        if (!runUntil(queue.now() + nanos, mostEvents)) {
            throw new Violation("more than " + mostEvents + " events at the end");
        }
        invariants.wholeAtTheEnd(there);
        return there ? Outcome.End.MOVED : Outcome.End.STAYED;
    }
}
