// SPDX-License-Identifier: Apache-2.0

package io.godwit.qemu;

import io.godwit.guest.BootSector;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.qmp.QmpClient;
import io.godwit.qmp.QmpException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A real QEMU. It has two QMP sockets, since each serves one client at a time: {@link #address} for what is tested, and one that the harness itself uses.
 *
 * <p>The process ends with {@link #close}, and the kernel kills it when this JVM ends in whatever way.
 */
public final class QemuProcess implements AutoCloseable {
    private static final Duration LONG = Duration.ofSeconds(50);
    private static final int BETWEEN_TRIES_MS = 20;

    /** The kernel ties the child to the thread that starts it, not to the JVM: so one thread that never ends starts them all. */
    private static final ExecutorService STARTER = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("qemu-starter").factory());

    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final Process process;
    private final Path errors;
    private final Path folder;
    private final Address address;
    private final QmpClient harness;

    /**
     * How to start one.
     *
     * @param memoryBytes of the guest
     * @param disk to boot from, or null
     * @param flags besides
     */
    public record Recipe(
            QemuVersion version,
            String machine,
            long memoryBytes,
            @Nullable Path disk,
            List<String> flags) {
        public Recipe {
            flags = List.copyOf(flags);
        }

        /** 16 MiB and the common machine type. */
        public static Recipe of(QemuVersion version) {
            return new Recipe(version.need(), QemuVersion.COMMON_MACHINE, 16 << 20, null, List.of());
        }

        public Recipe machine(String type) {
            return new Recipe(version, type, memoryBytes, disk, flags);
        }

        public Recipe memory(long bytes) {
            return new Recipe(version, machine, bytes, disk, flags);
        }

        /** A disk image; several QEMUs may have it, as shared storage that nobody locks. */
        public Recipe disk(Path image) {
            return new Recipe(version, machine, memoryBytes, image, flags);
        }

        public Recipe with(String... more) {
            List<String> all = new ArrayList<>(flags);
            all.addAll(List.of(more));
            return new Recipe(version, machine, memoryBytes, disk, all);
        }

        /** Waits for a guest. */
        public Recipe incoming() {
            return with("-incoming", "defer");
        }

        /** Does not start its guest by itself. */
        public Recipe stopped() {
            return with("-S");
        }

        /** In that folder it has its sockets and what it says. */
        public QemuProcess start(Path folder) throws IOException {
            return new QemuProcess(this, folder);
        }

        List<String> command(Path qmp, Path second) {
            List<String> command = new ArrayList<>(List.of(
                    "setpriv",
                    "--pdeathsig",
                    "KILL",
                    "sh",
                    "-c",
                    // The tie holds from here on; if the JVM has ended before, nobody would end us.
                    "[ \"$PPID\" = \"$0\" ] && exec \"$@\"",
                    Long.toString(ProcessHandle.current().pid()),
                    version.program().toString(),
                    "-accel",
                    "tcg",
                    "-machine",
                    machine,
                    "-m",
                    memoryBytes + "B",
                    "-nodefaults",
                    "-display",
                    "none",
                    "-qmp",
                    "unix:" + qmp + ",server=on,wait=off",
                    "-qmp",
                    "unix:" + second + ",server=on,wait=off"));
            if (disk != null) {
                command.addAll(List.of(
                        "-drive",
                        "if=none,id=d0,file=" + disk + ",format=raw,file.locking=off",
                        "-device",
                        "ide-hd,drive=d0"));
            }
            command.addAll(flags);
            return command;
        }
    }

    private QemuProcess(Recipe recipe, Path folder) throws IOException {
        this.folder = folder;
        String name = "q" + NUMBER.incrementAndGet();
        Path qmp = folder.resolve(name + ".qmp");
        Path second = folder.resolve(name + ".harness");
        this.errors = folder.resolve(name + ".err");
        this.address = new Address.Unix(qmp);
        ProcessBuilder builder = new ProcessBuilder(recipe.command(qmp, second))
                .redirectErrorStream(true)
                .redirectOutput(errors.toFile());
        this.process = start(builder);
        try {
            this.harness = connect(new Address.Unix(second));
        } catch (IOException | RuntimeException | Error e) {
            process.destroyForcibly();
            throw e;
        }
    }

    private static Process start(ProcessBuilder builder) throws IOException {
        try {
            return STARTER.submit(builder::start).get();
        } catch (ExecutionException e) {
            throw new IOException("QEMU cannot be started: " + e.getCause(), e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private QmpClient connect(Address socket) throws IOException {
        long until = System.nanoTime() + LONG.toNanos();
        while (true) {
            try {
                return QmpClient.connect(socket, LONG);
            } catch (QmpException notYet) {
                if (exited(BETWEEN_TRIES_MS)) {
                    throw new IOException("QEMU ended with exit code " + process.exitValue() + ": " + said(), notYet);
                }
                if (System.nanoTime() - until > 0) {
                    throw new IOException("QEMU does not open its QMP socket: " + said(), notYet);
                }
            }
        }
    }

    private boolean exited(long millis) {
        try {
            return process.waitFor(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Its QMP socket, for one client. */
    public Address address() {
        return address;
    }

    public long pid() {
        return process.pid();
    }

    /** What it has printed. */
    public String said() {
        try {
            return Files.readString(errors).strip();
        } catch (IOException e) {
            return "(" + e + ")";
        }
    }

    /** Over the harness' own socket. */
    public Json qmp(String command, JsonObject arguments) {
        try {
            return harness.execute(command, arguments, LONG);
        } catch (QmpException e) {
            throw new AssertionError("QMP " + command + ": " + e.getMessage() + "; QEMU said: " + said(), e);
        }
    }

    public Json qmp(String command) {
        return qmp(command, Json.object());
    }

    /** Physical memory; the guest may run meanwhile. */
    public byte[] memory(long from, long length) throws IOException {
        Path file = Files.createTempFile(folder, "memory", ".bin");
        try {
            qmp(
                    "pmemsave",
                    JsonObject.builder()
                            .put("val", from)
                            .put("size", length)
                            .put("filename", file.toString())
                            .build());
            return Files.readAllBytes(file);
        } finally {
            Files.delete(file);
        }
    }

    /** Waits until that guest has counted every page at least once. */
    public void awaitCounted(BootSector guest) throws IOException {
        byte[] fresh = new byte[BootSector.PAGE];
        guest.fill(guest.pages() - 1, fresh);
        long until = System.nanoTime() + LONG.toNanos();
        byte[] now;
        do {
            now = memory(guest.end() - BootSector.PAGE, BootSector.PAGE);
            if (System.nanoTime() - until > 0 || exited(BETWEEN_TRIES_MS)) {
                throw new AssertionError("the guest does not count; QEMU said: " + said());
            }
        } while (now[0] == fresh[0] || now[1] != fresh[1]);
    }

    /** Stops the guest and looks at its pages; null if all is well. */
    public @Nullable String damage(BootSector guest) throws IOException {
        qmp("stop");
        return guest.damage(memory(guest.first(), guest.end() - guest.first()));
    }

    /** Its exit code, or -1 if it goes on for as long. */
    public int endedWithin(long millis) {
        return exited(millis) ? process.exitValue() : -1;
    }

    /** Waits for its end; its exit code. */
    public int awaitExit() throws ExecutionException, InterruptedException, TimeoutException {
        return process.onExit().get(LONG.toMillis(), TimeUnit.MILLISECONDS).exitValue();
    }

    /** SIGKILL, as a machine that fails. */
    public void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    @Override
    public void close() {
        harness.close();
        kill();
    }
}
