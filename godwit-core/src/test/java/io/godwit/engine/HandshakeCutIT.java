// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.BlockInfo;
import io.godwit.protocol.MigrationStatus;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The recovery's handshake is cut after every single byte, in either direction, again and again in one and the same migration: each time both ends are paused, and in
 * the end it completes with every page right.
 */
@Timeout(120)
class HandshakeCutIT {
    /** Behind the last byte of the handshake: it has succeeded, and what is cut is what follows. */
    private static final int BEYOND = 3;

    @ParameterizedTest
    @CsvSource({
        "forward, false, UNIX",
        "forward, true,  UNIX",
        "back,    false, UNIX",
        "back,    true,  UNIX",
        "forward, true,  TCP",
        "back,    true,  TCP"
    })
    void everyByteMayBeTheLast(String direction, boolean preempt, Pair.Net net) throws Exception {
        try (Pair pair = new Pair(net, Pair.TINY, Pair.postcopy(preempt))) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            int step = net == Pair.Net.TCP ? 5 : 1;
            int length = length(pair, direction);
            for (int bytes = 0; bytes <= length + BEYOND; bytes += step) {
                pair.fault(direction + ":cut-after=" + bytes);
                pair.source.migrate(pair.target, true);
                settled(pair, MigrationStatus.POSTCOPY_PAUSED, bytes);
            }
            assertThat(pair.source.info().extra().recoveriesTried())
                    .as("a cut after 0 bytes may come before the source knows that it was connected")
                    .isGreaterThanOrEqualTo((length + BEYOND) / step);
            pair.recoverAndVerify();
        }
    }

    /** Nothing has proved to the source that its destination has the guest: so it does not claim to know, until a handshake has proved it. */
    @Test
    void whileNothingProvesItTheSourceStaysUncertain() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(false))) {
            pair.parameters(Pair::slow);
            pair.source.migrate(pair.target, false);
            Pair.eventually("PONG 1 has come", () -> pair.relay.stats().backBytes() >= 8);
            // What comes back from here on is swallowed: PONG 3, which proves that the guest was loaded, among it.
            pair.fault("half-open");
            pair.source.migrateStartPostcopy();
            pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
            pair.src.await(MigrationStatus.POSTCOPY_ACTIVE);
            pair.relay.cut();
            settled(pair, MigrationStatus.UNCERTAIN, -1);
            for (int bytes = 0; bytes < length(pair, "back"); bytes += 7) {
                pair.fault("back:cut-after=" + bytes);
                pair.source.migrate(pair.target, true);
                settled(pair, MigrationStatus.UNCERTAIN, bytes);
                assertThat(pair.source.info().extra().uncertainWhy())
                        .startsWith("the device state was sent, nothing proves that the destination has loaded it");
            }
            pair.recoverAndVerify();
        }
    }

    /** The relay has no connection left and both ends know it. */
    private static void settled(Pair pair, MigrationStatus atSource, int bytes) {
        pair.src.await(MigrationStatus.POSTCOPY_PAUSED, MigrationStatus.UNCERTAIN);
        pair.quiet();
        pair.dst.await(MigrationStatus.POSTCOPY_PAUSED);
        assertThat(pair.src.status())
                .as("cut after %d bytes: %s", bytes, pair.src)
                .isEqualTo(atSource);
        pair.guests.check();
        assertThat(pair.source.runState()).isEqualTo("finish-migrate");
        assertThat(pair.destination.runState()).isEqualTo("running");
    }

    /** How long the handshake is: {@code spec/sequences.md §6.2}, {@code spec/return-path.md §3}, and a PING with its PONG. */
    private static int length(Pair pair, String direction) {
        List<BlockInfo> blocks = pair.sourceGuest.memory().blocks().list();
        int requests = blocks.stream().mapToInt(b -> 5 + 1 + b.name().length()).sum();
        int bitmaps = blocks.stream()
                .mapToInt(
                        b -> 4 + 1 + b.name().length() + 8 + Math.toIntExact((b.usedLength() / 4096 + 63) / 64 * 8) + 8)
                .sum();
        return direction.equals("forward") ? requests + 9 + 5 : bitmaps + 8 + 8;
    }
}
