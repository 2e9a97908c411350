// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.app.store.StoreCommand;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What real QEMUs save by a command or into a file is parked, and what is parked is saved for them; the guest's memory is right in the end. */
@Timeout(180)
class OneStreamQemuIT extends OnBench {
    private Path saved;
    private Path exported;

    @BeforeEach
    void name() {
        saved = folder.resolve("saved");
        exported = folder.resolve("exported");
    }

    private QemuProcess saves(QemuVersion version, String uri) throws Exception {
        QemuProcess source = bench.running(version);
        source.qmp("migrate", JsonObject.builder().put("uri", uri).build());
        completed(source);
        return source;
    }

    private static void completed(QemuProcess qemu) throws Exception {
        long end = System.nanoTime() + 30_000_000_000L;
        while (!status(qemu).equals("completed")) {
            assertThat(System.nanoTime()).as(status(qemu)).isLessThan(end);
            assertThat(qemu.endedWithin(20)).as(qemu.said()).isEqualTo(-1);
        }
    }

    private static String status(QemuProcess qemu) {
        return ((JsonObject) qemu.qmp("query-migrate")).string("status", "none");
    }

    private void loads(QemuVersion version, String uri) throws Exception {
        QemuProcess destination = bench.awaiting(version);
        destination.qmp("migrate-incoming", JsonObject.builder().put("uri", uri).build());
        completed(destination);
        assertThat(bench.damage(destination)).isEmpty();
    }

    private Process park(String incoming, String... more) throws IOException {
        List<String> words =
                new ArrayList<>(List.of("park", "--incoming", incoming, "--store", bench.store.toString()));
        words.addAll(List.of(more));
        return bench.godwit(words.toArray(String[]::new));
    }

    private Process unpark(String to, String... more) throws IOException {
        List<String> words = new ArrayList<>(List.of(
                "unpark", bench.store.toString(), "--to", to, "--mode", "precopy", "--even-unconfirmed", "--clone"));
        words.addAll(List.of(more));
        return bench.godwit(words.toArray(String[]::new));
    }

    @ParameterizedTest
    @EnumSource
    void whatACommandSavedIsParkedAndACommandLoadsItAgain(QemuVersion version) throws Exception {
        QemuProcess source = saves(version, "exec:cat > '" + saved + "'");

        assertThat(bench.code(park("exec:cat '" + saved + "'"))).as("%s", bench).isEqualTo(1);
        assertThat(bench.toString()).contains("no return path", "--unsafe");
        assertThat(bench.code(park("exec:cat '" + saved + "'", "--unsafe")))
                .as("%s", bench)
                .isEqualTo(3);
        assertThat(bench.state()).isEqualTo("parked-unconfirmed");
        assertThat(bench.difference(source)).isEmpty();

        assertThat(bench.code(unpark("exec:gzip -1 > '" + exported + "'", "--set-capability", "return-path=off")))
                .as("%s", bench)
                .isZero();
        loads(version, "exec:zcat '" + exported + "'");
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"V7_2"})
    void aFileIsParkedAndSavedAgain(QemuVersion version) throws Exception {
        QemuProcess source = saves(version, "file:" + saved);

        assertThat(bench.code(park("file:" + saved))).as("%s", bench).isEqualTo(3);
        assertThat(bench.toString()).contains("whoever wrote file:" + saved);
        assertThat(bench.state()).isEqualTo("parked-unconfirmed");
        assertThat(bench.difference(source)).isEmpty();

        assertThat(bench.code(unpark("file:" + exported + ",offset=8192")))
                .as("%s", bench)
                .isZero();
        assertThat(bench.state()).isEqualTo("parked-unconfirmed");
        loads(version, "file:" + exported + ",offset=8192");
    }

    @Test
    void aVmThatWentIntoAFileLeavesUntilSomebodySaysThatItHasArrived() throws Exception {
        saves(QemuVersion.V10_0, "file:" + saved);
        store("import", saved.toString(), bench.store.toString(), "--confirmed");

        assertThat(bench.code(bench.godwit(
                        "unpark", bench.store.toString(), "--to", "file:" + exported, "--mode", "precopy")))
                .as("%s", bench)
                .isEqualTo(3);
        assertThat(bench.toString()).contains("'godwit store arrived " + bench.store + "'");
        assertThat(bench.state()).isEqualTo("leaving");
        store("arrived", bench.store.toString());
        assertThat(bench.state()).isEqualTo("gone");
        loads(QemuVersion.V10_0, "file:" + exported);
    }

    /** A file in which each page has its place is not for a stream's way, but for the store's own commands. */
    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"V7_2"})
    void aFileWithMappedRamIsImportedAndExported(QemuVersion version) throws Exception {
        QemuProcess source = bench.running(version);
        mapped(source);
        source.qmp("migrate", JsonObject.builder().put("uri", "file:" + saved).build());
        completed(source);

        assertThat(bench.code(park("file:" + saved))).as("%s", bench).isEqualTo(1);
        assertThat(bench.toString()).contains("mapped-ram", "'godwit store import FILE'");
        store("import", saved.toString(), bench.store.toString(), "--confirmed");
        assertThat(bench.state()).isEqualTo("parked");
        assertThat(bench.difference(source)).isEmpty();
        store("export", bench.store.toString(), "--mapped-ram", exported.toString());

        QemuProcess destination = bench.awaiting(version);
        mapped(destination);
        destination.qmp(
                "migrate-incoming",
                JsonObject.builder().put("uri", "file:" + exported).build());
        completed(destination);
        assertThat(bench.damage(destination)).isEmpty();
    }

    private static void store(String... words) {
        StringWriter out = new StringWriter();
        int code = new CommandLine(new StoreCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(out, true))
                .execute(words);
        assertThat(code).as("%s", out).isZero();
    }

    private static void mapped(QemuProcess qemu) throws Exception {
        qemu.qmp("migrate-set-capabilities", (JsonObject)
                Json.parse("{\"capabilities\":[{\"capability\":\"mapped-ram\",\"state\":true}]}"));
    }

    @Test
    void descriptorsThatItWasStartedWithCarryAVmBothWays() throws Exception {
        QemuProcess source = saves(QemuVersion.V10_0, "exec:cat > '" + saved + "'");
        bench.shell("exec \"$@\" 7< '" + saved + "'");
        assertThat(bench.code(park("fd:7", "--unsafe"))).as("%s", bench).isEqualTo(3);
        assertThat(bench.difference(source)).isEmpty();

        bench.shell("exec 8> '" + exported + "'; exec \"$@\"");
        assertThat(bench.code(unpark("fd:8", "--set-capability", "return-path=off")))
                .as("%s", bench)
                .isZero();
        loads(QemuVersion.V10_0, "exec:cat '" + exported + "'");
        assertThat(bench.code(park("fd:9", "--unsafe"))).isEqualTo(1);
        assertThat(bench.toString()).contains("parked already");
    }

    @Test
    void noCommandOutlivesItsGodwit() throws Exception {
        Path pid = folder.resolve("pid");
        assertThat(new ProcessBuilder("mkfifo", pid.toString()).start().waitFor())
                .isZero();
        Process park = park("exec:echo $$ > '" + pid + "'; exec sleep 1000");
        bench.await(park, "\"event\":\"ready\"");
        long command = Long.parseLong(Files.readString(pid).strip());
        Bench.signal(park, "TERM");
        Bench.signal(park, "TERM");
        bench.code(park);

        assertThat(Path.of("/proc/" + command)).doesNotExist();
    }

    /** Java has its own image and the class path's archives open, as an exec would hand them on. */
    @ParameterizedTest
    @ValueSource(ints = {3, 4, 5, 6})
    void aDescriptorOfJavasOwnIsNotTaken(int number) throws Exception {
        assertThat(bench.code(park("fd:" + number, "--unsafe"))).as("%s", bench).isEqualTo(1);
        assertThat(bench.toString()).contains("no descriptor " + number + " was handed to this process");
    }

    @Test
    void whatAFileCannotDoIsAMistake() throws Exception {
        Files.writeString(saved, "x");
        assertThat(bench.code(park("file:" + saved, "--qmp-peer", bench.unix("q"))))
                .isEqualTo(2);
        assertThat(bench.toString()).contains("leave it out");
        assertThat(bench.code(bench.godwit("unpark", bench.store.toString(), "--to", "file:" + exported)))
                .isEqualTo(2);
        assertThat(bench.toString()).contains("give --mode precopy");
        assertThat(bench.code(unpark("file:" + bench.store.resolve("manifest.json"))))
                .isEqualTo(2);
        assertThat(bench.toString()).contains("in the VM's own folder");
        assertThat(exported).doesNotExist();
    }
}
