// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/** All connections of a world, and the one address in it: the destination's. */
final class SimNetwork {
    private final EventQueue queue;
    private final SplittableRandom random;
    private final FaultLog faults;
    private final List<SimLink> links = new ArrayList<>();
    private int count;

    SimNetwork(EventQueue queue, SplittableRandom random, FaultLog faults) {
        this.queue = queue;
        this.faults = faults;
        this.random = random;
    }

    /**
     * Begins a connection; {@link SimLink.Holder#connected} or {@link SimLink.Holder#broken} follows.
     *
     * @param listener is given the connection when it is accepted
     */
    SimLink connect(String purpose, LinkPlan plan, SimLink.Holder initiator, Consumer<SimLink> listener) {
        SimLink link = new SimLink("#" + ++count + " " + purpose, plan, queue, random, faults);
        links.removeIf(old -> !old.alive());
        links.add(link);
        link.hold(SimLink.INITIATOR, initiator);
        if (plan.refused()) {
            faults.add(FaultKind.REFUSED, link);
            queue.after(plan.connectAfter(), link::refuse);
        } else {
            queue.after(plan.connectAfter(), link::established);
            if (plan.acceptAfter() < 0) {
                faults.add(FaultKind.UNACCEPTED, link);
            } else {
                queue.after(plan.acceptAfter(), () -> listener.accept(link));
            }
        }
        return link;
    }

    List<SimLink> links() {
        return links;
    }

    void cutAll(boolean reset) {
        faults.add(FaultKind.ALL_CUT, reset ? "reset" : "what is under way still comes");
        links.forEach(link -> link.cut(reset, "cut by the network"));
    }

    /** From now on nothing passes on the connections that there are: forward, backward, or both ways. */
    void silence(int way) {
        faults.add(
                FaultKind.ALL_SILENT,
                way == SimLink.INITIATOR ? "forward" : way == SimLink.ACCEPTOR ? "backward" : "both ways");
        links.forEach(link -> {
            if (way != SimLink.ACCEPTOR) {
                link.silence(SimLink.INITIATOR);
            }
            if (way != SimLink.INITIATOR) {
                link.silence(SimLink.ACCEPTOR);
            }
        });
    }

    void heal() {
        links.forEach(SimLink::heal);
    }
}
