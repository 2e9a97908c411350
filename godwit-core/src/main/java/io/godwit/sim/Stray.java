// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.page.BlockTable;
import io.godwit.wire.MultifdEncoder;
import io.godwit.wire.MultifdMessage;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamMessage;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.UUID;

/** Somebody who connects to the destination and is not its source: a health check, a half-dead proxy, the source of another guest. */
final class Stray implements SimLink.Holder {
    private final World world;
    private final SimLink link;
    private final ByteBuffer says;
    private final ByteBuffer hears = ByteBuffer.allocate(4096);
    private final long staysFor;
    private boolean gone;

    private Stray(World world, ByteBuffer says, long staysFor, LinkPlan plan, String purpose) {
        this.world = world;
        this.says = says;
        this.staysFor = staysFor;
        this.link = world.network()
                .connect(purpose, plan, this, accepted -> world.destination().accept(accepted, "a stranger"));
    }

    /** One of many kinds connects now. */
    static void random(World world, SplittableRandom random) {
        int kind = random.nextInt(7);
        ByteBuffer says = words(kind, world, random);
        if (says.hasRemaining() && random.nextInt(3) == 0) {
            says.limit(1 + random.nextInt(says.limit()));
        }
        long stays = random.nextInt(3) == 0 ? Long.MAX_VALUE : random.nextLong(400_000_000);
        LinkPlan plan = new LinkPlan(
                false,
                20_000,
                random.nextLong(2_000_000),
                4096,
                20_000L << random.nextInt(5),
                0,
                PipeFault.NONE,
                PipeFault.NONE);
        String name = name(kind);
        world.faults().add(FaultKind.STRANGER, name);
        new Stray(world, says, stays, plan, name);
    }

    private static ByteBuffer words(int kind, World world, SplittableRandom random) {
        ByteBuffer says = ByteBuffer.allocate(8192);
        BlockTable blocks = world.setup().blocks();
        switch (kind) {
            case 0 -> {}
            case 1 -> {
                byte[] garbage = new byte[1 + random.nextInt(300)];
                random.nextBytes(garbage);
                says.put(garbage);
            }
            case 2 -> {
                StreamEncoder.write(new StreamMessage.Header(), says);
                StreamEncoder.write(StreamMessage.Configuration.of(world.setup().machine()), says);
            }
            case 3, 4 -> {
                for (int block = 0; block < blocks.size(); block++) {
                    StreamEncoder.write(
                            new StreamMessage.RecvBitmap(blocks.get(block).name()), says);
                }
                if (kind == 4) {
                    StreamEncoder.write(new StreamMessage.PostcopyResume(), says);
                }
            }
            case 5 -> StreamEncoder.write(new StreamMessage.RecvBitmap("another-guest"), says);
            default -> {
                says.putInt(0x11223344);
                if (world.setup().source().multifd() != null) {
                    // A whole first message, of another guest or of nobody's attempt.
                    says.clear();
                    UUID uuid = random.nextBoolean() ? new UUID(1, 2) : MultifdMessage.Init.NO_UUID;
                    MultifdEncoder.init(new MultifdMessage.Init(uuid, random.nextInt(3)), says);
                }
            }
        }
        return says.flip();
    }

    private static String name(int kind) {
        return switch (kind) {
            case 0 -> "silent stranger";
            case 1 -> "stranger with garbage";
            case 2 -> "stranger with a header";
            case 3 -> "stranger who asks for bitmaps";
            case 4 -> "stranger who resumes";
            case 5 -> "stranger of another guest";
            default -> "stranger with multifd";
        };
    }

    /** One that says just this. */
    static void says(World world, ByteBuffer what) {
        new Stray(world, what, Long.MAX_VALUE, LinkPlan.GOOD, "stranger");
    }

    @Override
    public void connected() {
        speak();
        if (staysFor != Long.MAX_VALUE) {
            world.queue().after(staysFor, this::leave);
        }
    }

    private void speak() {
        if (!gone) {
            while (says.hasRemaining() && link.write(SimLink.INITIATOR, says) > 0) {
                world.moves();
            }
        }
    }

    @Override
    public void readable() {
        if (!gone && link.read(SimLink.INITIATOR, hears.clear()) < 0) {
            leave();
        }
    }

    @Override
    public void writable() {
        speak();
    }

    @Override
    public void broken(String reason) {
        gone = true;
    }

    void leave() {
        if (!gone) {
            gone = true;
            link.close(SimLink.INITIATOR);
        }
    }
}
