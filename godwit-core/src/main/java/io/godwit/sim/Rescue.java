// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import java.util.SplittableRandom;

/**
 * The second phase: the network is well and one sensible operator looks at both ends now and then, and does what a handbook would say. Decides also when there is
 * nothing left to be done.
 */
final class Rescue {
    private static final long LOOK_NANOS = 25_000_000;
    /** Without a change of status for so long, somebody has to be kicked. */
    private static final long PATIENCE_NANOS = 8_000_000_000L;

    private final World world;
    private final SplittableRandom random;
    private final boolean eager;
    private boolean sped;
    private int migrations;
    private int resumes;
    private boolean over;
    private long seen;
    private long seenAt;
    private boolean resolved;
    /** A recovery was tried although the destination had not noticed the break: if that comes to nothing, it has to be told. */
    private boolean triedUnnoticed;
    /** When a channel was last held: its end is an operator's to bring about, and whoever waits for a page waits for that. */
    private long heldAt;

    Rescue(World world, SplittableRandom random) {
        this.world = world;
        this.random = random;
        this.eager = random.nextBoolean();
    }

    /** Nothing is left to be done. */
    boolean over() {
        return over;
    }

    /** A guest was given back, or declared gone, by an operator's word. */
    boolean resolved() {
        return resolved;
    }

    void begin() {
        seenAt = world.queue().now();
        world.source().guest().calmDown();
        world.destination().guest().calmDown();
        look();
    }

    private void look() {
        if (!over) {
            step();
            world.queue().after(LOOK_NANOS + random.nextLong(LOOK_NANOS), this::look);
        }
    }

    private boolean impatient() {
        return world.queue().now() - seenAt > PATIENCE_NANOS;
    }

    private void step() {
        if (!world.source().alive() || !world.destination().alive()) {
            return; // somebody is about to start another process
        }
        long progress = world.statusChanges() + world.destination().memory().receivedPages();
        if (progress != seen) {
            seen = progress;
            seenAt = world.queue().now();
        }
        if (world.source().holdsChannel() || world.destination().session().holdsChannel()) {
            heldAt = world.queue().now();
        }
        if (world.deadlinesOn()
                && world.queue().now() - heldAt > PATIENCE_NANOS
                && world.destination().guest().longestWait() > PATIENCE_NANOS
                && world.destination().state() instanceof DestinationState.PostcopyActive) {
            throw new Violation("a writer has waited for its page for more than 8 s, and the channel passes for good");
        }
        if (world.destination().state() instanceof DestinationState.Paused(DestinationState.Need need)
                && (need != DestinationState.Need.NOTHING
                        || !world.destination().listens())) {
            world.destination().awaitRecovery();
        }
        if (new StoreCare(world).needed()) {
            return;
        }
        switch (world.source().state()) {
            case SourceState.Idle _, SourceState.Failed _, SourceState.Cancelled _ -> guestIsHere();
            case SourceState.Setup _, SourceState.Active _, SourceState.Stopping _ -> precopy();
            case SourceState.PreSwitchover _ -> world.source().operator(new SourceInput.Continue());
            case SourceState.Flushing _ -> {
                if (impatient()) {
                    kick(() -> world.source().operator(new SourceInput.Cancel()));
                }
            }
            case SourceState.AwaitingShut _ -> {
                if (impatient()) {
                    kick(() -> world.source().yank());
                }
            }
            case SourceState.PostcopyActive _, SourceState.RecoverSetup _, SourceState.Recover _ -> {
                if (impatient()) {
                    kick(() -> world.source().operator(new SourceInput.Pause()));
                }
            }
            case SourceState.Paused _ -> paused();
            case SourceState.Held _ -> {
                if (impatient()) {
                    // A path that has swallowed something never comes back to life; here the peer survives it.
                    nudge(() -> world.source().yank());
                }
            }
            case SourceState.Uncertain _ -> uncertain();
            case SourceState.Completed _ -> completed();
        }
    }

    /** Nothing moves: with all deadlines on that is a defect, without them it is an operator's turn. */
    private void kick(Runnable action) {
        if (world.deadlinesOn()) {
            throw new Violation("the source is in " + world.source().state() + " and the destination in "
                    + world.destination().state() + ", and no deadline ends it");
        }
        nudge(action);
    }

    /** The same where waiting is right: nobody knows what the other end is up to. */
    private void nudge(Runnable action) {
        seenAt = world.queue().now();
        action.run();
    }

    private void precopy() {
        if (!sped) {
            sped = true;
            Parameters p = world.source().parameters();
            world.source()
                    .parameters(new Parameters(
                            0,
                            random.nextBoolean() ? 0 : p.maxPostcopyBandwidth(),
                            1_000_000,
                            1_000_000_000,
                            p.handshakeTimeoutMillis(),
                            p.livenessTimeoutMillis(),
                            p.pingIntervalMillis(),
                            p.multifd(),
                            p.peerMayBe72(),
                            p.tls()));
            if (world.setup().source().postcopy() && random.nextBoolean()) {
                world.source().operator(new SourceInput.StartPostcopy());
            }
        }
        if (impatient()) {
            nudge(() -> world.source().operator(new SourceInput.Cancel()));
        }
    }

    private void guestIsHere() {
        switch (world.destination().state()) {
            case DestinationState.Loading _ -> {}
            case DestinationState.Active _ -> {
                if (impatient()) {
                    nudge(() -> world.destination().yank());
                }
            }
            case DestinationState.Idle _, DestinationState.Failed _ -> {
                if (world.destination().keepsIt()) {
                    throw new Violation("the source has its guest back, and the destination's store has it, too");
                }
                if (eager && migrations < 2) {
                    world.destination().operator(new DestinationInput.Incoming());
                } else {
                    over = true;
                }
            }
            case DestinationState.Listening _ -> {
                if (eager && migrations < 2 && world.source().guest().holder() == SimGuest.Holder.HERE) {
                    migrations++;
                    sped = false;
                    world.source()
                            .operator(new SourceInput.Migrate(world.setup().atOnce()));
                } else {
                    // What the source began before the network healed may come only now: a handbook's operator looks
                    // again.
                    // (Where a destination has no deadlines it may keep a connection's bytes unread for ever.)
                    over = world.destination().parameters().handshakeTimeoutMillis() == 0 || !world.underWay();
                }
            }
            case DestinationState.PostcopyActive _,
                    DestinationState.Finishing _,
                    DestinationState.Mending _,
                    DestinationState.Paused _,
                    DestinationState.Recover _,
                    DestinationState.Held _,
                    DestinationState.Completed _ ->
                throw new Violation("the source has its guest back, and the destination is in "
                        + world.destination().state());
        }
    }

    private void paused() {
        if (world.destination().keepsIt()) {
            // Nobody there waits for a recovery any more: an earlier process had everything, and its word was lost.
            resolved = true;
            world.source().operator(new SourceInput.ResolveWhole(world.source().unsent()));
            return;
        }
        switch (world.destination().state()) {
            case DestinationState.Paused _, DestinationState.Held _, DestinationState.Completed _ ->
                world.source().operator(new SourceInput.Resume());
            case DestinationState.Loading _, DestinationState.Finishing _, DestinationState.Mending _ -> {
                // Its disk works, and ends.
            }
            case DestinationState.PostcopyActive _, DestinationState.Recover _ -> {
                // A newer connection may be taken up; if it is not, its end must be kicked out first.
                if (!triedUnnoticed && random.nextInt(4) == 0) {
                    triedUnnoticed = true;
                    world.source().operator(new SourceInput.Resume());
                } else if (impatient()) {
                    triedUnnoticed = false;
                    kick(() -> world.destination().operator(new DestinationInput.Pause()));
                } else if (random.nextInt(8) == 0) {
                    triedUnnoticed = false;
                    nudge(() -> world.destination().operator(new DestinationInput.Pause()));
                }
            }
            case DestinationState.Idle _,
                    DestinationState.Listening _,
                    DestinationState.Active _,
                    DestinationState.Failed _ ->
                throw new Violation("the source is paused for a destination in "
                        + world.destination().state());
        }
    }

    private void uncertain() {
        if (resumes < 3 && random.nextBoolean()) {
            resumes++;
            world.source().operator(new SourceInput.Resume());
            return;
        }
        switch (world.fate()) {
            case HERE -> {
                resolved = true;
                world.source().operator(new SourceInput.ResolveHere());
            }
            case THERE -> {
                resolved = true;
                world.source().operator(new SourceInput.ResolveThere());
            }
            case OPEN -> {
                if (impatient()) {
                    nudge(() -> world.destination().yank());
                }
            }
        }
    }

    private void completed() {
        boolean unconfirmed = !world.setup().source().returnPath();
        if (world.destination().keepsIt()) {
            over = true;
            return;
        }
        switch (world.destination().state()) {
            case DestinationState.Completed completed -> {
                over = !completed.answering();
                if (impatient()) {
                    kick(() -> world.destination().yank());
                }
            }
            case DestinationState.Active _,
                    DestinationState.Loading _,
                    DestinationState.Idle _,
                    DestinationState.Listening _,
                    DestinationState.Failed _ -> {
                if (!unconfirmed) {
                    throw new Violation("the source has completed, and the destination is in "
                            + world.destination().state());
                }
                if (world.fate() == World.Fate.HERE) {
                    resolved = true;
                    world.source().operator(new SourceInput.ResolveHere());
                } else if (impatient()) {
                    nudge(() -> world.destination().yank());
                }
            }
            case DestinationState.PostcopyActive _,
                    DestinationState.Finishing _,
                    DestinationState.Mending _,
                    DestinationState.Paused _,
                    DestinationState.Recover _,
                    DestinationState.Held _ ->
                throw new Violation("the source has completed, and the destination is in "
                        + world.destination().state());
        }
    }
}
