// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import io.godwit.protocol.DestinationMachine;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.SourceMachine;
import io.godwit.protocol.SourceState;
import io.godwit.sim.ChannelHolders;
import io.godwit.sim.Transitions;
import io.godwit.sim.check.Line.Far;
import io.godwit.sim.check.Scene.Here;
import java.util.Map;
import java.util.Set;

/** What must hold in every state and in every step: DESIGN's rules as far as a state can show them. */
final class Rules {
    void sourceStatus(Scene scene, MigrationStatus from, MigrationStatus to) {
        transition("source", from, to, Transitions.SOURCE);
        if (to == MigrationStatus.COMPLETED && !scene.arrived) {
            throw new RuleBroken("the source has completed, and the destination has no guest");
        }
    }

    void destinationStatus(Scene scene, MigrationStatus from, MigrationStatus to) {
        transition("destination", from, to, Transitions.DESTINATION);
        if (to == MigrationStatus.COMPLETED && (!scene.arrived || scene.received != Scene.ALL)) {
            throw new RuleBroken(
                    "the destination has completed without " + (scene.arrived ? "all its pages" : "a guest"));
        }
    }

    private static void transition(
            String side, MigrationStatus from, MigrationStatus to, Map<MigrationStatus, Set<MigrationStatus>> table) {
        if (!table.getOrDefault(from, Set.of()).contains(to)) {
            throw new RuleBroken("the " + side + " goes from " + from + " to " + to + ", which is in no table");
        }
    }

    /** The destination is about to start its guest. */
    void guestArrives(Scene scene) {
        if (scene.here != Here.STOPPED) {
            throw new RuleBroken("the guest starts at the destination and runs at the source");
        }
        if (!scene.handedOver) {
            throw new RuleBroken("the guest starts at the destination before the commit point");
        }
    }

    /** A page has come after the switch to postcopy. */
    void placed(Scene scene, int page) {
        if ((scene.fresh & page) != (scene.written & page)) {
            throw new RuleBroken(
                    Message.pages(page) + " was received, and it is not what the source had at the switchover");
        }
    }

    /** Looks at a state, and at the step that led to it. */
    void check(Scene before, Scene after, SourceMachine source, DestinationMachine destination) {
        guests(after, source);
        memory(before, after);
        channels(after, source.state(), destination.state());
        waits(source, destination);
    }

    private static void guests(Scene scene, SourceMachine source) {
        boolean here = scene.here != Here.STOPPED;
        if (here && scene.arrived) {
            throw new RuleBroken("the guest runs at both ends");
        }
        if (here && scene.handedOver && !scene.resolvedHere) {
            throw new RuleBroken("the guest runs at the source past the commit point, and no operator said so");
        }
        if (scene.handedOver && !scene.resolvedHere && !source.committed()) {
            throw new RuleBroken("the source is past the commit point and does not know it: " + source.state());
        }
    }

    private static void memory(Scene before, Scene after) {
        if (after.arrived) {
            int theirs = after.received & ~after.own;
            if ((after.fresh & theirs) != (after.written & theirs)) {
                throw new RuleBroken("a page counts as received, and it is not what the source had at the switchover");
            }
            if ((before.own & ~after.own) != 0) {
                throw new RuleBroken("what the guest wrote at the destination is undone by a page that came again");
            }
        }
        if (before.postcopy && (before.received & ~after.received) != 0) {
            throw new RuleBroken("a received page is unsaid");
        }
    }

    private static void channels(Scene scene, SourceState source, DestinationState destination) {
        if (!ChannelHolders.mayHold(source) && (scene.near(false) != null || scene.near(true) != null)) {
            throw new RuleBroken("the source is in " + source + " and holds a channel");
        }
        if (!ChannelHolders.mayHold(destination) && (scene.far(Far.MAIN) != null || scene.far(Far.PREEMPT) != null)) {
            throw new RuleBroken("the destination is in " + destination + " and holds a channel");
        }
    }

    /** All parameters are on: whoever waits for the other end has a deadline, or is heard by somebody who has. */
    private static void waits(SourceMachine source, DestinationMachine destination) {
        boolean mustEnd = switch (source.state()) {
            case SourceState.Setup _,
                    SourceState.Flushing _,
                    SourceState.AwaitingShut _,
                    SourceState.RecoverSetup _,
                    SourceState.Recover _,
                    SourceState.Active _,
                    SourceState.Stopping _,
                    SourceState.PostcopyActive _ -> true;
            case SourceState.Idle _,
                    SourceState.PreSwitchover _,
                    SourceState.Paused _,
                    SourceState.Held _,
                    SourceState.Uncertain _,
                    SourceState.Completed _,
                    SourceState.Failed _,
                    SourceState.Cancelled _ -> false;
        };
        if (mustEnd && source.nextTick() == Long.MAX_VALUE) {
            throw new RuleBroken("the source waits in " + source.state() + " without a deadline");
        }
        boolean handshake = destination.state() instanceof DestinationState.Recover
                || (destination.state() instanceof DestinationState.Completed completed && completed.answering());
        if (handshake && destination.nextTick(-1) == Long.MAX_VALUE) {
            throw new RuleBroken("the destination waits in " + destination.state() + " without a deadline");
        }
    }

    /** Whether it is over and well: one guest, whole, and nobody who would still do something about it. */
    static boolean goodEnd(Scene scene, SourceState source, DestinationState destination) {
        if (!source.over()) {
            return false;
        }
        if (source instanceof SourceState.Completed) {
            return destination instanceof DestinationState.Completed completed
                    && !completed.answering()
                    && scene.arrived
                    && scene.here == Here.STOPPED
                    && scene.received == Scene.ALL;
        }
        return scene.here == Here.RUNS
                && !scene.arrived
                && (destination instanceof DestinationState.Failed
                        || destination instanceof DestinationState.Listening);
    }
}
