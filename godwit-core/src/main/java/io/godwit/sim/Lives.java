// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.pump.StorageException;
import java.util.EnumMap;
import java.util.Map;

/** The processes of the end that has a store, one after the other: how one ends, and what the next one begins with. */
final class Lives {
    private final World world;
    private final Map<Outcome.Restart, Integer> restarts = new EnumMap<>(Outcome.Restart.class);

    Lives(World world) {
        this.world = world;
    }

    /** New processes that have taken up what an earlier one had left. */
    Map<Outcome.Restart, Integer> restarts() {
        return restarts;
    }

    /**
     * A process that has a store is no more.
     *
     * @param machine its machine has lost power: nobody is told, and of what was not synced chance makes something
     */
    void processEnds(SimEndpoint end, boolean machine, String when) {
        if (!end.alive()) {
            return;
        }
        world.faults().add(machine ? FaultKind.POWER : FaultKind.KILLED, end.name() + ", " + when);
        end(end, machine);
    }

    /** The operator ends a process and starts it again, since its store says something else than it. */
    void restart(SimEndpoint end) {
        world.trace().event("operator", end.name() + ": ends the process, and starts it again");
        end(end, false);
    }

    private void end(SimEndpoint end, boolean machine) {
        world.moves();
        end.die(machine);
        SimStore store = end.store();
        if (store != null) {
            store.ends(machine);
        }
        if (end instanceof SourceEnd) {
            world.source().ended();
        } else {
            world.destination().ended();
            world.invariants().destinationBegins();
        }
        world.mishaps().ended(end, machine);
    }

    /** Somebody starts another process; false if its disk does not let it. */
    boolean revive(SimEndpoint end) {
        SimStore store = end.store();
        if (store == null) {
            throw new IllegalStateException("nothing is left of a process without a store");
        }
        world.network().links().stream()
                .filter(SimLink::vanished)
                .forEach(link -> link.cut(true, "the machine is back, and knows nothing of it"));
        try {
            if (end instanceof SourceEnd) {
                world.source().begin(store);
            } else {
                world.destination().begin(store);
            }
        } catch (StorageException e) {
            world.trace().event(end.name(), () -> "a new process cannot begin: " + e.getMessage());
            store.ends(false);
            return false;
        } catch (PowerLoss _) {
            world.trace().event(end.name(), "a new process ends before it has begun");
            store.ends(store.takesMachine());
            return false;
        }
        end.born();
        world.moves();
        Outcome.Restart found = Outcome.Restart.of(store.state());
        restarts.merge(found, 1, Integer::sum);
        world.trace().event(end.name(), () -> "a new process begins, its disk says " + found.words());
        if (end instanceof SourceEnd) {
            world.invariants().sourceBegins();
        } else {
            world.invariants().destinationBegins();
        }
        world.invariants().restarted();
        end.event(null, () -> {});
        return true;
    }
}
