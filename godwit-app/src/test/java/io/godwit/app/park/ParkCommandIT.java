// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code godwit park} and {@code godwit unpark} as an operator has them: processes, real QEMUs, a guest that writes all the time, and Godwits that are killed. */
@Timeout(180)
class ParkCommandIT extends OnBench {
    private static final String[] FAST = {
        "--mode", "postcopy", "--peer-parameter", "max-bandwidth=0", "--peer-parameter", "max-postcopy-bandwidth=0"
    };

    @ParameterizedTest
    @EnumSource
    void parksAVmAndRunsItAgainAtOnce(QemuVersion version) throws Exception {
        bench.parked(bench.running(version));
        bench.arrived(bench.awaiting(version));
        assertThat(bench.toString()).contains("\"event\":\"runs\"");
        assertThat(bench.state()).isEqualTo("gone");
        assertThat(bench.code(bench.unpark(bench.awaiting(version)))).isEqualTo(1);
        assertThat(bench.toString()).contains("what is here is an old copy");
    }

    @ParameterizedTest
    @EnumSource(names = {"V7_2", "V11_1"})
    void goesOnAfterItWasKilledOnBothWays(QemuVersion version) throws Exception {
        QemuProcess source = bench.running(version);
        Process first = bench.park(source, Bench.SLOW);
        bench.await(first, Bench.PAGES_FOLLOW);
        Bench.kill(first);
        assertThat(bench.state()).isEqualTo("receiving-postcopy");
        bench.parked(source);

        QemuProcess destination = bench.awaiting(version);
        try (Relay _ = bench.slowRelay("to")) {
            Process second = bench.unparkThroughRelay(destination);
            bench.await(second, "\"event\":\"runs\"");
            Bench.kill(second);
        }
        assertThat(bench.state()).isEqualTo("leaving");
        bench.arrived(destination);
        assertThat(bench.state()).isEqualTo("gone");
    }

    @ParameterizedTest
    @EnumSource
    void recoversByItself(QemuVersion version) throws Exception {
        QemuProcess source = bench.running(version);
        try (Relay relay = bench.relay("in")) {
            bench.cutAndRecovered(relay, bench.parkThroughRelay(source, Bench.SLOW), source);
        }
    }

    /** Its kernel gave the connection up, and what it said to ours got lost. */
    @Test
    void aSourceThatHasLostTheChannelUnseenIsRecovered() throws Exception {
        QemuProcess source = bench.running(QemuVersion.V10_0.need());
        try (Relay relay = bench.relay("in")) {
            Process park = bench.parkThroughRelay(source, Bench.SLOW);
            bench.await(park, Bench.PAGES_FOLLOW);
            // From now on this end hears nothing any more, not even an end.
            relay.setFault(FaultPlan.parse("forward:swallow"));
            source.qmp("migrate-pause");
            bench.await(park, "the source has lost the channel");
            relay.setFault(FaultPlan.NONE);
            bench.fast(source);
            assertThat(bench.code(park)).as("%s", bench).isZero();
        }
        assertThat(bench.difference(source)).isEmpty();
    }

    /** Each break may have as many tries as are given, if the memory came on in between. */
    @Test
    void aPathThatBreaksAgainAndAgainUsesUpNoTries() throws Exception {
        QemuProcess source = bench.running(QemuVersion.V10_0.need());
        try (Relay relay = bench.relay("in")) {
            Process park = bench.parkThroughRelay(source, Bench.words(Bench.SLOW, "--recoveries", "1"));
            bench.await(park, Bench.PAGES_FOLLOW);
            relay.cut();
            bench.await(park, "recovery 1");
            bench.await(park, Bench.PAGES_FOLLOW);
            relay.cut();
            bench.await(park, "recovery 1");
            bench.fast(source);
            assertThat(bench.code(park)).as("%s", bench).isZero();
        }
        assertThat(bench.difference(source)).isEmpty();
    }

    /** What is given for this end is the QEMU's setting, too. */
    @ParameterizedTest
    @CsvSource({"V7_2, zlib", "V10_0, zstd", "V11_1, none"})
    void pagesGoOverChannelsOfTheirOwn(QemuVersion version, String compression) throws Exception {
        String[] channels = channels("multifd-compression=" + compression);
        QemuProcess source = bench.running(version);
        // A guest that writes all the time outruns a compressor on a busy machine.
        bench.parked(source, Bench.words(channels, "--peer-parameter", "downtime-limit=20000"));
        assertThat(((JsonObject) source.qmp("query-migrate")).object("ram").int64("multifd-bytes"))
                .isPositive();
        QemuProcess destination = bench.awaiting(version);
        bench.arrived(destination, Bench.words(channels, "--mode", "precopy"));
        for (QemuProcess qemu : List.of(source, destination)) {
            JsonObject set = (JsonObject) qemu.qmp("query-migrate-parameters");
            assertThat(set.int64("multifd-channels")).isEqualTo(3);
            assertThat(set.string("multifd-compression")).isEqualTo(compression);
            assertThat(qemu.qmp("query-migrate-capabilities").toString())
                    .contains("{\"state\":true,\"capability\":\"multifd\"}");
        }
    }

    /** Only 11.1 has both; what a new process goes on with needs no channels. */
    @Test
    void aPostcopyThatBeganOverChannelsGoesOnByTheSameCommand() throws Exception {
        String[] channels = channels("multifd-compression=zlib");
        QemuProcess source = bench.running(QemuVersion.V11_1.need());
        Process first = bench.park(source, Bench.words(channels, Bench.SLOW));
        bench.await(first, Bench.PAGES_FOLLOW);
        Bench.kill(first);
        bench.parked(source, Bench.words(channels, FAST));

        QemuProcess destination = bench.awaiting(QemuVersion.V11_1);
        try (Relay _ = bench.slowRelay("to")) {
            Process second = bench.unparkThroughRelay(destination, channels);
            bench.await(second, "\"event\":\"runs\"");
            Bench.kill(second);
        }
        assertThat(bench.state()).isEqualTo("leaving");
        bench.arrived(destination, channels);
    }

    @Test
    void channelsThatDifferAreRefusedBeforeAnythingIsAsked() throws Exception {
        String[] peer = {"--set-capability", "multifd", "--qmp-peer", bench.unix("nobody")};
        String[] park = Bench.words(peer, "park", "--incoming", bench.unix("in"), "--store", bench.store.toString());
        Process differ = bench.godwit(Bench.words(new String[] {"--peer-parameter", "multifd-channels=4"}, park));
        assertThat(bench.code(differ)).isEqualTo(2);
        assertThat(bench.toString()).contains("multifd-channels=4, but it is 2 here");
    }

    private static String[] channels(String compression) {
        return new String[] {
            "--set-capability", "multifd", "--set-parameter", "multifd-channels=3", "--set-parameter", compression
        };
    }

    @Test
    void whatDoesNotFitIsRefusedBeforeAnythingMoves() throws Exception {
        bench.parked(bench.running(QemuVersion.V10_0.need()));
        QemuProcess.Recipe recipe = QemuProcess.Recipe.of(QemuVersion.V10_0);
        refused(bench.awaiting(recipe.machine("pc-q35-7.2")), "start QEMU with -machine pc-i440fx-7.2");
        refused(bench.awaiting(recipe.memory(32 * Bench.MIB)), "start QEMU with -m 16777216B");
        refused(bench.awaiting(QemuVersion.V7_2), "comes from QEMU 10.0");
        assertThat(bench.state()).isEqualTo("parked");
        bench.arrived(bench.awaiting(recipe));
    }

    private void refused(QemuProcess destination, String why) throws Exception {
        assertThat(bench.code(bench.unpark(destination))).isEqualTo(1);
        assertThat(bench.toString()).contains(why);
    }

    /** What it sends next need not be what its guest has: seen with tcg, between two of them. */
    @ParameterizedTest
    @CsvSource({"V7_2, true", "V10_0, false"})
    void whoseMigrationFailedBeforeMayBeWarnedOf(QemuVersion version, boolean warned) throws Exception {
        QemuProcess source = bench.running(version.need());
        Process park = bench.park(source, "--peer-parameter", "max-bandwidth=1000000");
        bench.await(park, "\"status\":\"active\"");
        Bench.signal(park, "INT");
        assertThat(bench.code(park)).as("%s", bench).isEqualTo(1);
        assertThat(bench.toString()).doesNotContain("stale pages");
        Process again = bench.park(source, "--peer-parameter", "max-bandwidth=0");
        assertThat(bench.code(again)).as("%s", bench).isZero();
        assertThat(bench.toString().contains("may send stale pages")).isEqualTo(warned);
    }

    @Test
    void aChannelThatBringsAParkNothingIsAdvisedAgainst() throws Exception {
        QemuProcess source = bench.running(QemuVersion.V11_1.need());
        bench.parked(
                source,
                "--mode",
                "postcopy",
                "--set-capability",
                "postcopy-preempt",
                "--peer-parameter",
                "max-bandwidth=0");
        assertThat(bench.toString()).contains("postcopy-preempt brings a park nothing");
    }

    @Test
    void aSignalInBetweenIsObeyedTheSecondTime() throws Exception {
        QemuProcess source = bench.running(QemuVersion.V10_0.need());
        Process park = bench.park(source, Bench.SLOW);
        bench.await(park, Bench.PAGES_FOLLOW);
        Bench.signal(park, "TERM");
        bench.await(park, "\"event\":\"refused\"");
        Bench.signal(park, "TERM");
        assertThat(bench.code(park)).as("%s", bench).isEqualTo(75);
        bench.parked(source, FAST[0], FAST[1]);
    }

    /** Since 11 a QEMU can do that, as long as it has not heard that its guest was taken over. */
    @Test
    void aSourceThatTookItsGuestBackHasIt() throws Exception {
        QemuProcess source = bench.running(QemuVersion.V11_1.need());
        // Else the precopy may have ended before the switch is asked for.
        String[] slowly = {"--mode", "postcopy", "--peer-parameter", "max-bandwidth=1048576"};
        try (Relay relay = bench.relay("in")) {
            relay.setFault(FaultPlan.parse("back:swallow"));
            Process first = bench.parkThroughRelay(source, slowly);
            bench.await(first, "\"status\":\"postcopy-active\"");
            Bench.kill(first);
        }
        assertThat(bench.state()).isEqualTo("receiving-postcopy");
        assertThat(bench.code(bench.parkThroughRelay(source, slowly)))
                .as("%s", bench)
                .isEqualTo(1);
        assertThat(bench.toString()).contains("its source took it back");
        assertThat(bench.state()).isEqualTo("gone");
        bench.parked(source, "--peer-parameter", "max-bandwidth=0");
    }

    @Test
    void withoutThePeersQmpItStaysUnproven() throws Exception {
        QemuProcess source = bench.running(QemuVersion.V10_0.need());
        Process park = bench.godwit("park", "--incoming", bench.unix("in"), "--store", bench.store.toString());
        bench.await(park, "\"event\":\"ready\"");
        source.qmp("migrate-set-capabilities", (JsonObject)
                Json.parse("{\"capabilities\":[{\"capability\":\"return-path\",\"state\":true}]}"));
        source.qmp("migrate", JsonObject.builder().put("uri", bench.unix("in")).build());
        assertThat(bench.code(park)).as("%s", bench).isEqualTo(3);
        assertThat(bench.state()).isEqualTo("parked-unconfirmed");

        QemuProcess destination = bench.awaiting(QemuVersion.V10_0);
        assertThat(bench.code(bench.unpark(destination))).isEqualTo(1);
        bench.arrived(destination, "--even-unconfirmed");
    }

    @Test
    void aCloneLeavesAndTheVmStays() throws Exception {
        bench.parked(bench.running(QemuVersion.V7_2.need()));
        bench.arrived(bench.awaiting(QemuVersion.V7_2), "--clone");
        assertThat(bench.state()).isEqualTo("parked");
        bench.arrived(bench.awaiting(QemuVersion.V10_0.need()), "--mode", "precopy");
        assertThat(bench.state()).isEqualTo("gone");
    }

    /** It says why, and once the page is as it was, the same command goes on where it stopped. */
    @Test
    void aDamagedPageHoldsAVmUpUntilItIsMended() throws Exception {
        bench.parked(bench.running(QemuVersion.V11_1.need()));
        turnAByte(600);
        QemuProcess destination = bench.awaiting(QemuVersion.V11_1);
        assertThat(bench.code(bench.unpark(destination, "--recoveries", "1")))
                .as("%s", bench)
                .isEqualTo(75);
        assertThat(bench.toString()).contains("cannot be finished for now (page 600 of RAM block 'pc.ram' is damaged");

        turnAByte(600);
        bench.arrived(destination);
        assertThat(bench.state()).isEqualTo("gone");
    }

    private void turnAByte(long page) throws IOException {
        try (RandomAccessFile ram =
                new RandomAccessFile(bench.store.resolve("ram-0").toFile(), "rw")) {
            ram.seek(page * 4096 + 5);
            int was = ram.read();
            ram.seek(page * 4096 + 5);
            ram.write(was ^ 1);
        }
    }

    /** It has everything and awaits nobody: no recovery could end this, what it says by QMP does. */
    @Test
    void theLastWordOfAPostcopyLostIsMadeUpForByThePeersQmp() throws Exception {
        bench.parked(bench.running(QemuVersion.V11_1.need()));
        QemuProcess destination = bench.awaiting(QemuVersion.V11_1);
        try (Relay relay = bench.slowRelay("to")) {
            // Nothing that is answered is asked any more: it goes on to its end though it hears nothing.
            Process unpark = bench.unparkThroughRelay(destination, "--set-parameter", "x-godwit-ping-interval=0");
            bench.await(unpark, "\"event\":\"runs\"");
            destination.qmp("stop");
            relay.setFault(FaultPlan.parse("back:swallow"));
            bench.await(unpark, "\"status\":\"postcopy-paused\"");
            assertThat(bench.code(unpark)).as("%s", bench).isZero();
        }
        assertThat(bench.toString()).contains("\"status\":\"completed\"");
        assertThat(bench.state()).isEqualTo("gone");
        // It stands still, so nobody may wait until it has counted: its counters begin anew at 256, twice a second.
        assertThat(destination.damage(Bench.GUEST)).as("%s", bench).isNull();
    }

    @Test
    void aPeerThatIsNotThereIsSaidBeforeAnythingIsMade() throws Exception {
        Process park = bench.godwit(
                "park",
                "--incoming",
                bench.unix("in"),
                "--store",
                bench.store.toString(),
                "--qmp-peer",
                bench.unix("nobody"));
        assertThat(bench.code(park)).isEqualTo(69);
        assertThat(bench.store).doesNotExist();
    }
}
