// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import io.godwit.store.Arrival;
import io.godwit.store.OsDisk;
import io.godwit.store.StoreSink;
import io.godwit.store.StoreState;
import io.godwit.store.StoredDevices;
import io.godwit.store.VmStore;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code godwit store} on real files: a VM of 1 MiB, every second page of it zero. */
class StoreCommandIT {
    private static final int PAGES = 256;

    @TempDir
    Path root;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final byte[] memory = new byte[PAGES * Pages.SIZE];

    @BeforeEach
    void parkOne() {
        Random random = new Random(4711);
        byte[] noise = new byte[Pages.SIZE];
        for (int page = 0; page < PAGES; page += 2) {
            random.nextBytes(noise);
            System.arraycopy(noise, 0, memory, page * Pages.SIZE, Pages.SIZE);
        }
        try (VmStore store = open("web1")) {
            StoreSink sink = store.receive(new Arrival(
                    "pc-i440fx-7.2",
                    List.of(BlockInfo.of("pc.bios", Pages.SIZE), BlockInfo.of("pc.ram", memory.length)),
                    2,
                    "7.2.19",
                    null,
                    null,
                    -1));
            sink.storeZero(0, 0);
            for (int page = 0; page < PAGES; page += 2) {
                sink.store(1, page, ByteBuffer.wrap(memory), page * Pages.SIZE);
                sink.storeZero(1, page + 1);
            }
            store.park(new StoredDevices(new byte[0], new byte[0], null), false);
        }
    }

    private VmStore open(String name) {
        return VmStore.open(new OsDisk(), root.resolve(name), Clock.systemUTC(), "test");
    }

    private int run(String... args) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return new CommandLine(new StoreCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
    }

    private String vm(String name) {
        return root.resolve(name).toString();
    }

    @Test
    void listsWhatIsThere() throws Exception {
        assertThat(run("list", root.toString())).isZero();
        assertThat(out.toString()).hasLineCount(2).containsPattern("web1 +parked-unconfirmed +pc-i440fx-7.2 +1 MiB");
        assertThat(run("list", "--json", "--root", root.toString())).isZero();
        JsonObject only = ((JsonArray) Json.parse(out.toString().strip())).object(0);
        assertThat(only.string("vm")).isEqualTo("web1");
        assertThat(only.string("state")).isEqualTo("parked-unconfirmed");
        assertThat(run("list", vm("web1"))).isZero();
        assertThat(out.toString()).contains("there is no VM in");
    }

    @Test
    void aManifestThatCannotBeReadIsListedAsSuch() throws Exception {
        Files.writeString(root.resolve("web1").resolve("manifest"), "{");
        Files.writeString(root.resolve("web1").resolve("manifest.json"), "{");
        assertThat(run("list", root.toString())).isZero();
        assertThat(out.toString()).containsPattern("web1 +unreadable +.+");
        assertThat(run("show", vm("web1"))).isEqualTo(1);
        assertThat(err.toString()).startsWith("godwit: ").hasLineCount(1);
    }

    @Test
    void aFileThatCannotBeUsedIsNamedAndWhyNot() {
        assertThat(run("import", vm("nothing.stream"), vm("web2"))).isEqualTo(69);
        assertThat(err.toString())
                .isEqualToIgnoringNewLines("godwit: cannot read '" + vm("nothing.stream") + "': there is no such file");
        assertThat(run("import", vm("web1"), vm("web2"))).isEqualTo(69);
        assertThat(err.toString()).startsWith("godwit: '" + vm("web1") + "' is a folder: ");
        assertThat(run("export", vm("web1"), "--stream", vm("nowhere/x"))).isEqualTo(69);
        assertThat(err.toString())
                .isEqualToIgnoringNewLines(
                        "godwit: cannot write '" + vm("nowhere/x") + "': there is no folder '" + vm("nowhere") + "'");
        assertThat(root.resolve("web2")).doesNotExist();
    }

    @Test
    void showsOneByNameAndByPath() throws Exception {
        assertThat(run("show", "web1", "--root", root.toString())).isZero();
        assertThat(out.toString())
                .contains("parked-unconfirmed since", "pc-i440fx-7.2, from QEMU 7.2.19")
                .containsPattern("pc.ram +1 MiB +1 MiB +512 KiB");
        assertThat(run("show", "--json", vm("web1"))).isZero();
        JsonObject shown = (JsonObject) Json.parse(out.toString().strip());
        assertThat(shown.int64("ram")).isEqualTo(memory.length + Pages.SIZE);
        assertThat(shown.int64("data")).isEqualTo(memory.length / 2);
        assertThat(run("show", vm("web2"))).isEqualTo(1);
        assertThat(err.toString()).contains("there is no parked VM in " + vm("web2"));
        assertThat(root.resolve("web2")).doesNotExist();
    }

    @Test
    void namesADamagedPage() throws Exception {
        assertThat(run("verify", vm("web1"))).isZero();
        assertThat(out.toString()).contains("all 257 pages are as they were received (129 of them zero)");
        damage(6);
        assertThat(run("verify", vm("web1"))).isEqualTo(1);
        assertThat(out.toString()).contains("page 6 of RAM block 'pc.ram' is damaged", "1 of 257 pages are damaged");
        assertThat(run("verify", "--json", vm("web1"))).isEqualTo(1);
        JsonObject told = (JsonObject) Json.parse(out.toString().strip());
        assertThat(told.bool("whole")).isFalse();
        assertThat(told.array("damages").object(0).int64("page")).isEqualTo(6);
    }

    private void damage(long page) throws Exception {
        try (RandomAccessFile file =
                new RandomAccessFile(root.resolve("web1").resolve("ram-1").toFile(), "rw")) {
            file.seek(page * Pages.SIZE + 17);
            int was = file.read();
            file.seek(page * Pages.SIZE + 17);
            file.write(was ^ 1);
        }
    }

    @Test
    void aDamagedPageIsNeverExported() throws Exception {
        damage(6);
        Path raw = root.resolve("raw");
        assertThat(run("export", vm("web1"), "--raw", raw.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("page 6").hasLineCount(1);
        assertThat(raw).doesNotExist();
        assertThat(root.resolve("raw.part")).doesNotExist();
    }

    @Test
    void whatIsExportedIsTheMemoryAndComesBack() throws Exception {
        Path raw = root.resolve("raw");
        assertThat(run("export", vm("web1"), "--raw", raw.toString())).isZero();
        assertThat(Arrays.equals(Files.readAllBytes(raw), memory)).isTrue();

        Path stream = root.resolve("stream");
        assertThat(run("export", vm("web1"), "--stream", stream.toString())).isZero();
        assertThat(run("import", stream.toString(), vm("web2"), "--confirmed")).isZero();
        assertThat(out.toString()).contains("is parked");
        Path again = root.resolve("again");
        assertThat(run("export", vm("web2"), "--raw", again.toString())).isZero();
        assertThat(Arrays.equals(Files.readAllBytes(again), memory)).isTrue();
        assertThat(run("import", stream.toString(), vm("web2"))).isEqualTo(1);
        assertThat(err.toString()).contains("is parked: another VM cannot be received into it");
    }

    @Test
    void halfAStreamIsNoVm() throws Exception {
        Path stream = root.resolve("stream");
        assertThat(run("export", vm("web1"), "--stream", stream.toString())).isZero();
        Path half = Files.write(root.resolve("half"), Arrays.copyOf(Files.readAllBytes(stream), 300_000));
        assertThat(run("import", half.toString(), vm("web3"))).isEqualTo(1);
        assertThat(err.toString())
                .startsWith("godwit: the stream ends at byte 300000")
                .hasLineCount(1);
        assertThat(run("verify", vm("web3"))).isEqualTo(1);
        assertThat(err.toString()).contains("is receiving");
        assertThat(run("import", stream.toString(), vm("web3"))).isZero();
    }

    @Test
    void destroysNothingWithoutAWord() {
        assertThat(run("remove", vm("web1"))).isEqualTo(1);
        assertThat(err.toString()).contains("--force");
        assertThat(run("verify", vm("web1"))).isZero();
        assertThat(run("remove", vm("web1"), "--force")).isZero();
        assertThat(root.resolve("web1")).doesNotExist();
        assertThat(run("remove", vm("web1"), "--force")).isEqualTo(1);
    }

    @Test
    void takesAnOperatorsWordWhereOneIsDue() {
        assertThat(run("confirm", vm("web1"))).isZero();
        assertThat(run("show", "--json", vm("web1"))).isZero();
        assertThat(out.toString()).contains("\"state\":\"parked\"");
        assertThat(run("disown", vm("web1"))).isEqualTo(1);
        assertThat(err.toString()).contains("is parked: it cannot be its source's");
        assertThat(run("take-back", vm("web1"))).isEqualTo(1);
        assertThat(err.toString()).contains("is parked: there is nothing to take back");
        assertThat(run("arrived", vm("web1"))).isEqualTo(1);
        assertThat(err.toString()).contains("is parked: it cannot have arrived anywhere");
        try (VmStore store = open("web1")) {
            store.leave(new StoreState.Departure("exec:x", null, true, 1, Instant.EPOCH), false);
        }
        assertThat(run("arrived", vm("web1"))).isEqualTo(1);
        assertThat(err.toString()).contains("--whole");
        assertThat(run("arrived", vm("web1"), "--whole")).isZero();
        assertThat(out.toString()).contains("is gone: its destination has it");
        assertThat(run("remove", vm("web1"))).isZero();
    }

    @Test
    void oneProcessAtATimeButForLooking() {
        try (VmStore _ = open("web1")) {
            assertThat(run("verify", vm("web1"))).isEqualTo(69);
            assertThat(err.toString()).contains("one process at a time").hasLineCount(1);
            assertThat(run("show", vm("web1"))).isZero();
            assertThat(run("list", root.toString())).isZero();
        }
    }

    @Test
    void mistakesAreExitCode2() {
        assertThat(run()).isEqualTo(2);
        assertThat(run("export", vm("web1"))).isEqualTo(2);
        assertThat(run("export", vm("web1"), "--raw", "a", "--stream", "b")).isEqualTo(2);
        assertThat(run("import", "x")).isEqualTo(2);
        assertThat(run("export", vm("web1"), "--raw", vm("r"), "--block", "vga"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("no memory named 'vga'");
    }
}
