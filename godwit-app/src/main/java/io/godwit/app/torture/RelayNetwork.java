// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Side;
import io.godwit.net.Fault.Direction;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import java.io.IOException;
import java.util.List;

/** Two relays. Relay (a) sets the pace, relay (b) makes the faults. */
final class RelayNetwork implements Network {
    private static final String DRAG = "both:delay=40";

    private final TortureGround ground;
    private final List<Relay> cutting;

    /** @param cutting those whose connections a cut ends; where the ends recover by themselves it is one, since a second cut a moment later would be the next recovery's */
    RelayNetwork(TortureGround ground, List<Relay> cutting) {
        this.ground = ground;
        this.cutting = cutting;
    }

    @Override
    public List<String> launcher(Side side) {
        return List.of();
    }

    @Override
    public void cut() {
        cutting.forEach(Relay::cut);
    }

    @Override
    public void silence(Direction direction) throws IOException {
        ground.fault(direction + ":swallow");
    }

    @Override
    public void drag() throws IOException {
        ground.fault(DRAG);
    }

    @Override
    public void pace(long bytes) throws IOException {
        ground.relayA().setFault(bytes == 0 ? FaultPlan.NONE : FaultPlan.parse("both:rate=" + bytes));
    }

    @Override
    public void clear() throws IOException {
        ground.fault("none");
    }

    @Override
    public boolean heal() throws IOException {
        clear();
        cut();
        return true;
    }
}
