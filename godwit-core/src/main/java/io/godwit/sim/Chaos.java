// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import java.util.SplittableRandom;

/** The first phase: two operators who do anything at any time, a network that breaks, and strangers. */
final class Chaos {
    private final World world;
    private final SplittableRandom random;
    private final SimOptions options;
    private final long length;

    Chaos(World world, SplittableRandom random, SimOptions options) {
        this.world = world;
        this.random = random;
        this.options = options;
        this.length = 40_000_000L << random.nextInt(6);
    }

    /** How long it lasts, in nanoseconds. */
    long length() {
        return length;
    }

    /** Puts everything that will happen on the queue. */
    void plan() {
        at(!world.setup().recoveries() && random.nextInt(6) == 0 ? sometime() : 0, this::listen);
        at(random.nextLong(3_000_000), this::migrate);
        if (world.setup().recoveries()) {
            at(3_000_000, this::startPostcopy);
        } else if (world.setup().source().postcopy() && random.nextInt(5) > 0) {
            at(3_000_000 + random.nextLong(60_000_000), this::startPostcopy);
        }
        if (options.faultPercent() == 0) {
            return;
        }
        world.mishaps().plan(world.setup().recoveries() ? length / 4 : 0, length);
        for (int n = random.nextInt(5) - 2; n > 0; n--) {
            boolean reset = random.nextBoolean();
            at(sometime(), () -> {
                world.trace().event("network", "everything is cut");
                world.network().cutAll(reset);
            });
        }
        for (int n = random.nextInt(24); n > 0; n--) {
            at(sometime(), this::anything);
        }
        long rest = 2_000_000L << random.nextInt(6);
        for (long t = random.nextLong(10_000_000); t < length; t += 1 + random.nextLong(rest)) {
            at(t, this::torment);
        }
        // A recovery needs somebody who tries it, again and again.
        for (long t = random.nextLong(40_000_000); t < length; t += 1 + random.nextLong(60_000_000)) {
            at(t, this::tryOn);
        }
        for (int n = options.strays() ? random.nextInt(6) : 0; n > 0; n--) {
            at(sometime(), () -> Stray.random(world, random));
        }
    }

    private long sometime() {
        long quiet = world.setup().recoveries() ? length / 4 : 0;
        return quiet + random.nextLong(length - quiet);
    }

    private void at(long time, Runnable action) {
        world.queue().after(time, action);
    }

    private void listen() {
        world.destination().operator(new DestinationInput.Incoming());
    }

    private void migrate() {
        world.source().operator(new SourceInput.Migrate(world.setup().atOnce()));
    }

    private void startPostcopy() {
        world.source().operator(new SourceInput.StartPostcopy());
    }

    /** Waits for the guest to be on its way, and then breaks something. */
    private void torment() {
        boolean postcopy = world.source().state().holdsGuestData()
                || world.destination().state().holdsGuestData();
        if (!postcopy || random.nextInt(3) > 0) {
            return;
        }
        switch (random.nextInt(6)) {
            case 0 -> world.network().cutAll(true);
            case 1 -> world.network().cutAll(false);
            case 2 -> world.source().operator(new SourceInput.Pause());
            case 3 -> world.destination().operator(new DestinationInput.Pause());
            case 4 -> world.network().silence(random.nextInt(3));
            default -> Stray.random(world, random);
        }
    }

    private void tryOn() {
        if (random.nextBoolean()) {
            world.destination().awaitRecovery();
        }
        world.source().operator(new SourceInput.Resume());
        if (random.nextInt(3) == 0) {
            listen();
            if (!(world.source().state() instanceof SourceState.Idle)) {
                migrate();
                if (random.nextBoolean()) {
                    startPostcopy();
                }
            }
        }
    }

    private Parameters changed(Parameters old) {
        return Setup.parameters(random).withPeerMayBe72(old.peerMayBe72());
    }

    private void anything() {
        switch (random.nextInt(17)) {
            case 0, 1 -> world.source().operator(new SourceInput.Pause());
            case 2, 3 -> world.destination().operator(new DestinationInput.Pause());
            case 4 -> world.source().operator(new SourceInput.Resume());
            case 5 -> world.source().operator(new SourceInput.Cancel());
            case 6, 7 -> startPostcopy();
            case 8 -> world.source().operator(new SourceInput.Continue());
            case 9 -> migrate();
            case 10 -> listen();
            case 11 -> world.source().parameters(changed(world.source().parameters()));
            case 12 ->
                world.destination().parameters(changed(world.destination().parameters()));
            case 13 -> world.source().want(random.nextBoolean());
            case 14 -> world.destination().want(random.nextBoolean());
            case 15 -> resolve();
            default -> {
                if (random.nextBoolean()) {
                    world.source().yank();
                } else {
                    world.destination().yank();
                }
            }
        }
    }

    /** Never a lie: an operator who says that the guest is here must know it. */
    private void resolve() {
        switch (world.fate()) {
            case HERE -> world.source().operator(new SourceInput.ResolveHere());
            case THERE ->
                world.source()
                        .operator(
                                world.destination().state() instanceof DestinationState.Completed
                                                && random.nextBoolean()
                                        ? new SourceInput.ResolveWhole(
                                                world.source().unsent())
                                        : new SourceInput.ResolveThere());
            case OPEN -> {}
        }
    }
}
