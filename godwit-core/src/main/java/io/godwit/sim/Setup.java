// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MultifdParameters;
import io.godwit.protocol.Parameters;
import io.godwit.wire.MultifdCompression;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * What a world begins with.
 *
 * @param source what the source's operator set; its nonce is replaced at each attempt
 * @param destination what the destination's operator set
 * @param guestRuns whether the guest runs at first, or stands paused
 * @param writers how many writers the guest has
 * @param pace mean nanoseconds between two accesses of one writer
 * @param disk what keeps the memories of a parked guest
 * @param atOnce whether the switch to postcopy is to be made without a first pass
 * @param recoveries whether the run is about postcopy and its recoveries: it gets there soon and mostly undisturbed
 * @param failingLoads so many times the destination's devices refuse their state
 * @param keeping which end has a store
 */
record Setup(
        BlockTable blocks,
        MigrationOptions source,
        MigrationOptions destination,
        Parameters sourceParameters,
        Parameters destinationParameters,
        boolean guestRuns,
        int writers,
        long pace,
        int failingLoads,
        SimStorage.Quality disk,
        boolean atOnce,
        boolean recoveries,
        Keeping keeping) {

    /** The same with a store at one end, and with what a process that has one does of itself. */
    Setup withKeeping(Keeping kept) {
        return new Setup(
                blocks,
                source,
                destination,
                sourceParameters,
                destinationParameters,
                guestRuns,
                writers,
                pace,
                failingLoads,
                disk,
                kept.where() == Keeping.Where.SOURCE ? source.postcopy() : atOnce,
                recoveries,
                kept);
    }

    Setup withWriters(int count) {
        return new Setup(
                blocks,
                source,
                destination,
                sourceParameters,
                destinationParameters,
                guestRuns,
                count,
                pace,
                failingLoads,
                disk,
                atOnce,
                recoveries,
                keeping);
    }

    /** The machine's type; an old one's multifd has sync points without words, and zero pages on the main channel. */
    String machine() {
        return source.multifd() != null && blocks.totalPages() % 2 == 0 ? World.OLD_MACHINE : World.MACHINE;
    }

    static BlockTable blocks(int first, int second) {
        return new BlockTable(List.of(
                BlockInfo.of("ram0", (long) first * Pages.SIZE), BlockInfo.of("ram1", (long) second * Pages.SIZE)));
    }

    static Setup random(SplittableRandom random, SimOptions options) {
        boolean recoveries = random.nextInt(5) > 1;
        boolean returnPath = recoveries || random.nextInt(8) > 0;
        boolean postcopy = recoveries || (returnPath && random.nextInt(5) > 0);
        boolean preempt = postcopy && random.nextBoolean();
        boolean pauseBefore = random.nextInt(5) == 0;
        boolean ack = returnPath && random.nextInt(4) == 0;
        BlockTable blocks = blocks(
                options.smallestBlock() + random.nextInt(options.largestBlock() - options.smallestBlock() + 1),
                options.smallestBlock() + random.nextInt(options.largestBlock() - options.smallestBlock() + 1));
        MigrationOptions source = new MigrationOptions(returnPath, postcopy, preempt, pauseBefore, ack, 2, 0);
        MigrationOptions destination = new MigrationOptions(
                returnPath,
                postcopy && (recoveries || random.nextInt(20) > 0),
                false,
                pauseBefore,
                ack && random.nextInt(10) > 0,
                2,
                0);
        destination = new MigrationOptions(
                destination.returnPath(),
                destination.postcopy(),
                preempt && destination.postcopy(),
                destination.pauseBeforeSwitchover(),
                destination.switchoverAck(),
                2,
                0);
        // Differences of pages are no other protocol: a third of all worlds has them.
        boolean xbzrle = blocks.totalPages() % 3 == 0;
        MultifdParameters multifd = multifd(blocks.totalPages());
        // In one world of five each end takes the other for one that a broken handshake kills.
        boolean fragile = blocks.totalPages() % 5 == 0;
        SimStorage.Quality disk = SimStorage.Quality.random(random);
        boolean atOnce = postcopy && disk.there() && random.nextBoolean();
        Setup drawn = new Setup(
                blocks,
                source.withXbzrle(xbzrle).withMultifd(multifd),
                destination.withXbzrle(xbzrle).withMultifd(multifd),
                parameters(random).withPeerMayBe72(fragile),
                parameters(random).withPeerMayBe72(fragile),
                random.nextInt(8) > 0,
                1 + random.nextInt(3),
                50_000L << random.nextInt(6),
                random.nextInt(recoveries ? 40 : 12) == 0 ? 1 + random.nextInt(2) : 0,
                disk,
                atOnce,
                recoveries,
                Keeping.NONE);
        // Without a return path nothing is taken into a store, and nothing confirms what leaves it.
        boolean kept = returnPath && !disk.there() && random.nextInt(3) == 0;
        return kept ? drawn.withKeeping(Keeping.random(random)) : drawn;
    }

    /** Nor are channels of pages another one past precopy: another third has some, half of these compressed. */
    private static @Nullable MultifdParameters multifd(long pages) {
        MultifdCompression compression = pages % 4 < 2 ? MultifdCompression.NONE : MultifdCompression.ZLIB;
        return pages % 3 == 1
                ? MultifdParameters.DEFAULT
                        .withChannels(1 + (int) (pages % 5) / 2)
                        .withCompression(compression)
                : null;
    }

    /** Deadlines short against the network's delays or long, and now and then none. */
    static Parameters parameters(SplittableRandom random) {
        return new Parameters(
                random.nextInt(3) == 0 ? 200_000L << random.nextInt(8) : 0,
                random.nextInt(3) == 0 ? 100_000L << random.nextInt(8) : 0,
                1L << random.nextInt(9),
                random.nextInt(3) == 0 ? 1_000_000_000L : 0,
                random.nextInt(12) == 0 ? 0 : 50L << random.nextInt(4),
                random.nextInt(12) == 0 ? 0 : 80L << random.nextInt(4),
                random.nextInt(12) == 0 ? 0 : 5L << random.nextInt(4));
    }
}
