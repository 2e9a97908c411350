// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.page.Pages;
import io.godwit.protocol.Channel;
import java.util.SplittableRandom;

/** Draws how each connection goes: well, or with one fault, at a place where it hurts. After the healing all go well. */
final class RandomPlanner implements World.Planner {
    private final SplittableRandom random;
    private final int faultPercent;
    private final int firstPercent;
    private final long worldBytes;
    /** Whether a migration takes long, so that much can happen in it. */
    private final boolean slow;

    private boolean healed;

    RandomPlanner(SplittableRandom random, int faultPercent, Setup setup) {
        this.random = random;
        this.faultPercent = faultPercent;
        this.worldBytes = setup.blocks().totalPages() * Pages.SIZE;
        this.firstPercent = setup.recoveries() ? faultPercent / 10 : faultPercent / 3;
        this.slow = random.nextBoolean();
    }

    void heal() {
        healed = true;
    }

    @Override
    public LinkPlan plan(Channel channel, boolean recovery) {
        long latency = slow ? 300_000L << random.nextInt(4) : 10_000L << random.nextInt(8);
        long connect = 20_000 + random.nextLong(4 * latency);
        long accept = random.nextInt(6) == 0 ? random.nextLong(30_000_000) : random.nextLong(2 * connect);
        LinkPlan good = new LinkPlan(
                false,
                connect,
                accept,
                room(recovery),
                latency,
                random.nextBoolean() ? 0 : latency,
                PipeFault.NONE,
                PipeFault.NONE);
        // A migration that never gets off the ground teaches little.
        int percent = recovery ? faultPercent : firstPercent;
        if (healed || random.nextInt(100) >= percent) {
            return good;
        }
        return switch (random.nextInt(20)) {
            case 0, 1 -> new LinkPlan(true, connect, -1, good.room(), latency, 0, PipeFault.NONE, PipeFault.NONE);
            case 2, 3 -> good.withAcceptAfter(-1);
            case 4, 5, 6, 7, 8, 9 -> good.withForward(cut(recovery));
            case 10, 11, 12 -> good.withBackward(cut(recovery));
            case 13, 14 -> good.withForward(silence(recovery));
            case 15, 16 -> good.withBackward(silence(recovery));
            case 17 -> good.withForward(silence(recovery)).withBackward(silence(recovery));
            case 18 -> good.withForward(stall(recovery));
            default -> good.withBackward(stall(recovery));
        };
    }

    private int room(boolean recovery) {
        if (slow) {
            return 1500 << random.nextInt(3);
        }
        return switch (random.nextInt(5)) {
            case 0 -> recovery ? 64 << random.nextInt(4) : 1000;
            case 1 -> 2048;
            case 2 -> 8192;
            case 3 -> 20_000;
            default -> 128 * 1024;
        };
    }

    private PipeFault cut(boolean recovery) {
        return new PipeFault.Cut(place(recovery), random.nextBoolean());
    }

    private PipeFault silence(boolean recovery) {
        return new PipeFault.Silence(place(recovery), random.nextBoolean());
    }

    private PipeFault stall(boolean recovery) {
        return new PipeFault.Stall(place(recovery), 1_000_000 + random.nextLong(1_000_000_000));
    }

    /** Handshakes take a hundred bytes or two, a whole migration the memory and more. */
    private long place(boolean recovery) {
        return switch (random.nextInt(recovery ? 3 : 6)) {
            case 0 -> random.nextLong(60);
            case 1 -> random.nextLong(250);
            case 2 -> random.nextLong(3000);
            default -> random.nextLong(3 * worldBytes);
        };
    }
}
