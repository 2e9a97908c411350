// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.app.store.StoreCommand;
import io.godwit.guest.BootSector;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;

/** QEMUs whose guest writes all the time, Godwits as processes, and one VM's folder. */
final class Bench {
    static final int MIB = 1 << 20;
    static final BootSector GUEST = BootSector.noise(MIB, 12 * MIB).slow(2_000_000);

    /** Postcopy with so few bytes per second that a test can do something meanwhile. */
    static final String[] SLOW = {
        "--mode",
        "postcopy",
        "--peer-parameter",
        "max-bandwidth=2000000",
        "--peer-parameter",
        "max-postcopy-bandwidth=2000000"
    };

    /** Of a progress line; by then the source knows, too, that it has handed its guest over. */
    static final String PAGES_FOLLOW = "\"status\":\"postcopy-active\",\"done\"";

    final Path folder;
    final Path store;
    private final Path disk;
    private final List<AutoCloseable> qemus = new ArrayList<>();
    private final List<Process> processes = new ArrayList<>();
    private final List<String> said = new ArrayList<>();
    private List<String> shell = List.of();

    Bench(Path folder) throws IOException {
        this.folder = folder;
        this.store = folder.resolve("vm");
        this.disk = GUEST.write(folder.resolve("disk"));
    }

    /** Runs, and has been through all its pages. */
    QemuProcess running(QemuVersion version) throws IOException {
        QemuProcess qemu = start(QemuProcess.Recipe.of(version).disk(disk));
        qemu.awaitCounted(GUEST);
        return qemu;
    }

    QemuProcess awaiting(QemuProcess.Recipe recipe) throws IOException {
        return start(recipe.disk(disk).incoming());
    }

    /** Whatever it is; it ends with this. */
    QemuProcess start(QemuProcess.Recipe recipe) throws IOException {
        QemuProcess qemu = recipe.start(folder);
        qemus.add(qemu);
        return qemu;
    }

    QemuProcess awaiting(QemuVersion version) throws IOException {
        return awaiting(QemuProcess.Recipe.of(version));
    }

    String unix(String name) {
        return "unix:" + folder.resolve(name);
    }

    /** From now on commands are run by a shell that does this, and has them as {@code "$@"}. */
    void shell(String script) {
        shell = List.of("/bin/sh", "-c", script, "sh");
    }

    /** A command with {@code --json}, as a process. */
    Process godwit(String... words) throws IOException {
        String path = System.getProperty("jdk.module.path", "") + ":" + System.getProperty("java.class.path");
        List<String> command = new ArrayList<>(List.of(
                "env",
                "--default-signal=INT,HUP,TERM",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                path,
                "io.godwit.app.Main"));
        command.addAll(List.of(words));
        command.add("--json");
        command.addAll(0, shell);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        processes.add(process);
        return process;
    }

    Process park(QemuProcess source, String... more) throws IOException {
        return godwit(words(
                more,
                "park",
                "--incoming",
                unix("in"),
                "--store",
                store.toString(),
                "--qmp-peer",
                source.address().toString()));
    }

    /** By way of the socket "relay", through which the source sends. */
    Process parkThroughRelay(QemuProcess source, String... more) throws IOException {
        return park(source, words(more, "--migrate-uri", unix("relay")));
    }

    /** What a relay brings from the socket "relay" to this one. */
    Relay relay(String to) throws IOException {
        return Relay.start(Address.parse(unix("relay")), Address.parse(unix(to)));
    }

    /** As {@link #relay}, on a slow network. */
    Relay slowRelay(String to) throws IOException {
        Relay relay = relay(to);
        relay.setFault(FaultPlan.parse("forward:rate=2M"));
        return relay;
    }

    /** Cuts a slow park through a relay once pages follow; it has to recover by itself, and then to come to its end. */
    void cutAndRecovered(Relay relay, Process park, QemuProcess source) throws Exception {
        await(park, PAGES_FOLLOW);
        relay.cut();
        await(park, "recovery 1");
        await(park, "\"status\":\"postcopy-active\"");
        fast(source);
        assertThat(code(park)).as("%s", this).isZero();
        assertThat(difference(source)).isEmpty();
    }

    /** Ends what {@link #SLOW} began. */
    void fast(QemuProcess source) throws IOException {
        source.qmp(
                "migrate-set-parameters",
                JsonObject.builder().put("max-postcopy-bandwidth", 0).build());
    }

    /** It parks the source to the bit. */
    void parked(QemuProcess source, String... more) throws Exception {
        assertThat(code(park(source, more))).as("%s", this).isZero();
        assertThat(state()).isEqualTo("parked");
        assertThat(difference(source)).isEmpty();
    }

    /** It unparks, and the guest runs on undamaged. */
    void arrived(QemuProcess destination, String... more) throws Exception {
        assertThat(code(unpark(destination, more))).as("%s", this).isZero();
        assertThat(damage(destination)).as("%s", this).isEmpty();
    }

    Process unpark(QemuProcess destination, String... more) throws IOException {
        return unpark(unix("to"), destination, more);
    }

    /** From the socket "relay" to the socket "to", where the destination listens. */
    Process unparkThroughRelay(QemuProcess destination, String... more) throws IOException {
        return unpark("relay", "to", destination, more);
    }

    /** To one socket, where the destination listens at another. */
    Process unpark(String to, String listens, QemuProcess destination, String... more) throws IOException {
        return unpark(unix(to), destination, words(more, "--listen-uri", unix(listens)));
    }

    private Process unpark(String to, QemuProcess destination, String... more) throws IOException {
        return godwit(words(
                more,
                "unpark",
                store.toString(),
                "--to",
                to,
                "--qmp-peer",
                destination.address().toString()));
    }

    /** Those behind, these before. */
    static String[] words(String[] more, String... first) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    /** Reads on until a line contains that; all lines are remembered. */
    String await(Process process, String what) throws IOException {
        for (String line = process.inputReader().readLine();
                line != null;
                line = process.inputReader().readLine()) {
            said.add(line);
            if (line.contains(what)) {
                return line;
            }
        }
        throw new AssertionError("it ended before it said '" + what + "': " + this);
    }

    /** Reads on until it is paused after it said that. */
    void awaitPaused(Process process, String after) throws IOException {
        await(process, after);
        await(process, "\"status\":\"postcopy-paused\"");
    }

    /** Reads to the end; the exit code. */
    int code(Process process) throws Exception {
        for (String line = process.inputReader().readLine();
                line != null;
                line = process.inputReader().readLine()) {
            said.add(line);
        }
        if (!process.waitFor(150, TimeUnit.SECONDS)) {
            throw new AssertionError("it does not end: " + this);
        }
        return process.exitValue();
    }

    /** As a machine that fails. */
    static void kill(Process process) throws Exception {
        process.destroyForcibly();
        process.waitFor();
    }

    static void signal(Process process, String name) throws Exception {
        new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().waitFor();
    }

    /** The store's word for where the VM is. */
    String state() {
        StringWriter out = new StringWriter();
        int code = new CommandLine(new StoreCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(out, true))
                .execute("show", "--json", store.toString());
        if (code != 0) {
            throw new AssertionError(out.toString());
        }
        try {
            return ((JsonObject) Json.parse(out.toString().strip())).string("state");
        } catch (io.godwit.json.JsonSyntaxException e) {
            throw new AssertionError(out.toString(), e);
        }
    }

    /** Empty if what is parked is what the source's stopped machine has, to the bit. */
    String difference(QemuProcess source) throws IOException {
        Path raw = folder.resolve("raw");
        int code = new CommandLine(new StoreCommand())
                .setOut(new PrintWriter(new StringWriter(), true))
                .execute("export", store.toString(), "--raw", raw.toString());
        byte[] here = Files.readAllBytes(raw);
        int at = Arrays.mismatch(Arrays.copyOfRange(here, MIB, 16 * MIB), source.memory(MIB, 15 * MIB));
        return code == 0 && at < 0 ? "" : "exit code " + code + ", first difference at " + at;
    }

    /** Empty if the guest runs there and every page of it is right. */
    String damage(QemuProcess destination) throws IOException {
        destination.awaitCounted(GUEST);
        String damage = destination.damage(GUEST);
        return damage == null ? "" : damage;
    }

    void close() throws Exception {
        processes.forEach(Process::destroyForcibly);
        for (AutoCloseable qemu : qemus) {
            qemu.close();
        }
    }

    /** What the Godwits have said. */
    @Override
    public String toString() {
        return String.join("\n", said);
    }
}
