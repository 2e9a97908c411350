// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.protocol.SourceState;
import io.godwit.store.StoreState;

/** What a sensible operator does about a store once the network and the disk are well: waits for its disk, confirms, and starts a process again whose store says something else than it. */
final class StoreCare {
    private final World world;

    StoreCare(World world) {
        this.world = world;
    }

    /** Whether something of the kind was done, or is under way: then it is not the time for anything else. */
    boolean needed() {
        SimEndpoint keeper = world.keeper();
        SimStore store = keeper == null ? null : keeper.store();
        if (keeper == null || store == null) {
            return false;
        }
        if (!world.source().state().over()) {
            return false;
        }
        if (!store.idle()) {
            return true;
        }
        if (keeper instanceof SourceEnd && (store.state() instanceof StoreState.Leaving || store.unsettled())) {
            // What became of the guest could not be written down when it was known.
            world.lives().restart(keeper);
            return true;
        }
        if (keeper instanceof DestinationEnd
                && world.source().state() instanceof SourceState.Completed
                && store.state() instanceof StoreState.ParkedUnconfirmed) {
            store.confirm();
            return true;
        }
        return false;
    }
}
