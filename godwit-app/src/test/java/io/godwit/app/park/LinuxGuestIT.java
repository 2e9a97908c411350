// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.app.store.StoreCommand;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

/**
 * A Linux that keeps a heartbeat and checks its own memory is parked from QEMU 10.0 and unparked into 11.1, while its channels are cut and recoveries fail. Slow, so it is no part
 * of all tests: {@code ./verify --linux}.
 */
@Tag("slow")
@Timeout(600)
class LinuxGuestIT {
    /** Bytes per second: a cut meets most of the memory still to come. */
    private static final int SLOW = 16_000_000;
    /** Of a progress line: pages come, and both ends know whose guest it is. */
    private static final String PAGES_FOLLOW = "\"status\":\"postcopy-active\",\"done\"";

    private static final String PAUSED = "\"status\":\"postcopy-paused\"";
    private static final String ACTIVE = "\"status\":\"postcopy-active\"";

    @TempDir
    Path folder;

    private Bench bench;
    private LinuxGuest guest;

    @BeforeEach
    void open() throws IOException {
        bench = new Bench(folder);
        guest = new LinuxGuest(folder);
    }

    @AfterEach
    void end() throws Exception {
        bench.close();
    }

    /** It has counted a little and been through its memory, so that there is something to lose. */
    private QemuProcess running() throws IOException {
        QemuProcess source = bench.start(guest.recipe(QemuVersion.V10_0));
        guest.await(source, 5, 1);
        return source;
    }

    @ParameterizedTest
    @EnumSource
    void goesOnCountingAndMissesNothing(Mode mode) throws Exception {
        QemuProcess source = running();
        switch (mode) {
            case PRECOPY ->
                assertThat(bench.code(bench.park(source))).as("%s", bench).isZero();
            case POSTCOPY -> parkThroughACut(source);
        }
        assertThat(bench.state()).isEqualTo("parked");
        LinuxGuest.Progress left = guest.sound();

        QemuProcess destination = bench.start(guest.recipe(QemuVersion.V11_1).incoming());
        unparkThroughAFailedRecovery(destination);
        assertThat(bench.state()).isEqualTo("gone");
        // A minute, and all of its memory more than once since all of it is there.
        LinuxGuest.Progress arrived = guest.sound();
        guest.await(destination, Math.max(arrived.beats(), left.beats()) + 60, arrived.passes() + 3);
    }

    private void parkThroughACut(QemuProcess source) throws Exception {
        try (Relay relay = Relay.start(Address.parse(bench.unix("relay")), Address.parse(bench.unix("in")))) {
            Process park = bench.park(
                    source,
                    "--migrate-uri",
                    bench.unix("relay"),
                    "--mode",
                    "postcopy",
                    "--peer-parameter",
                    "max-postcopy-bandwidth=" + SLOW);
            bench.await(park, PAGES_FOLLOW);
            relay.cut();
            bench.await(park, PAUSED);
            bench.await(park, ACTIVE);
            source.qmp(
                    "migrate-set-parameters",
                    JsonObject.builder().put("max-postcopy-bandwidth", 0).build());
            assertThat(bench.code(park)).as("%s", bench).isZero();
        }
    }

    /** The guest runs there all the while, and stands whenever it touches what has not come. */
    private void unparkThroughAFailedRecovery(QemuProcess destination) throws Exception {
        try (Relay relay = Relay.start(Address.parse(bench.unix("relay")), Address.parse(bench.unix("to")))) {
            relay.setFault(FaultPlan.parse("forward:rate=" + SLOW));
            Process unpark =
                    bench.unparkThroughRelay(destination, "--set-parameter", "x-godwit-handshake-timeout=1000");
            bench.await(unpark, "\"event\":\"runs\"");
            bench.await(unpark, PAGES_FOLLOW);
            relay.setFault(FaultPlan.parse("back:swallow"));
            relay.cut();
            bench.await(unpark, PAUSED);
            bench.await(unpark, "\"status\":\"postcopy-recover\"");
            bench.await(unpark, PAUSED);
            relay.setFault(FaultPlan.NONE);
            bench.await(unpark, ACTIVE);
            assertThat(bench.code(unpark)).as("%s", bench).isZero();
        }
    }

    /** What this test is worth: one byte that is another one is found. */
    @Test
    void damageIsFound() throws Exception {
        assertThat(bench.code(bench.park(running()))).as("%s", bench).isZero();
        Path stream = folder.resolve("stream");
        Path copy = folder.resolve("copy");
        store("export", bench.store.toString(), "--stream", stream.toString());
        damage(stream);
        store("import", stream.toString(), copy.toString(), "--confirmed");

        QemuProcess destination = bench.start(guest.recipe(QemuVersion.V11_1).incoming());
        Process unpark = bench.godwit(
                "unpark",
                copy.toString(),
                "--to",
                bench.unix("to"),
                "--qmp-peer",
                destination.address().toString());
        assertThat(bench.code(unpark)).as("%s", bench).isZero();
        guest.await(destination, "CORRUPT known");
        assertThat(LinuxGuest.wrong(guest.said())).isEqualTo("CORRUPT known");
    }

    private static void store(String... words) {
        StringWriter out = new StringWriter();
        assertThat(new CommandLine(new StoreCommand())
                        .setOut(new PrintWriter(out, true))
                        .setErr(new PrintWriter(out, true))
                        .execute(words))
                .as("%s", out)
                .isZero();
    }

    /** One letter in the middle of what the guest knows by heart. Free memory has traces of it, too, so each piece that is as long as a page is hit. */
    private static void damage(Path stream) throws IOException {
        byte[] bytes = Files.readAllBytes(stream);
        byte[] many = LinuxGuest.KNOWN.repeat(90).getBytes(StandardCharsets.US_ASCII);
        int hits = 0;
        for (int at = find(bytes, many, 0); at >= 0; at = find(bytes, many, at + many.length)) {
            bytes[at + many.length / 2] ^= 1;
            hits++;
        }
        assertThat(hits).isGreaterThanOrEqualTo(256);
        Files.write(stream, bytes);
    }

    private static int find(byte[] in, byte[] what, int from) {
        for (int at = from; at <= in.length - what.length; at++) {
            if (in[at] == what[0] && Arrays.equals(in, at, at + what.length, what, 0, what.length)) {
                return at;
            }
        }
        return -1;
    }
}
