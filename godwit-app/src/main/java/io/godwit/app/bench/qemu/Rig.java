// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import io.godwit.app.vm.Emulator;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.page.Pages;
import io.godwit.sys.MappedMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What all measurements share: the QEMU, a folder that is removed in the end, and who is started how. One thread. */
final class Rig implements AutoCloseable {
    private static final long MIB = 1 << 20;

    private final Emulator program;
    private final Workplace place;
    private final Path folder;
    private final boolean tcp;
    private final boolean prealloc;
    private final long most;
    private final long seed;
    private final Consumer<String> progress;
    private int number;

    Rig(QemuBench.Setting setting, Consumer<String> progress) throws IOException {
        this.program = setting.program();
        this.place = Workplace.in(setting.place());
        this.folder = place.folder();
        this.tcp = setting.tcp();
        this.prealloc = setting.prealloc();
        this.most = setting.size();
        this.seed = setting.seed();
        this.progress = progress;
    }

    void progress(String what) {
        progress.accept(what);
    }

    Path file(String name) {
        return folder.resolve(name);
    }

    /** For a guest of so many bytes: as much as the firmware lets, and never more than fills the smallest guest. */
    Noise noise(long memory) throws IOException {
        long bytes = Math.min(memory - Noise.LOW, most) / MIB * MIB;
        Path file = file("noise-" + (bytes >> 20));
        return Files.exists(file) ? new Noise(file, bytes) : Noise.write(file, bytes, seed);
    }

    /** A VM that runs, with noise in its memory. */
    Vm running(long memory, Noise noise) throws IOException, BenchFailed {
        Vm vm = start(
                "source",
                memory,
                List.of(
                        "-device",
                        "loader,file=" + noise.file() + ",addr=0x" + Long.toHexString(Noise.ADDRESS)
                                + ",force-raw=on"));
        vm.capabilities("events", "return-path");
        vm.limits(0, 0);
        return vm;
    }

    /** A place for a VM of so much memory. */
    Vm waiting(long memory) throws IOException, BenchFailed {
        List<String> flags = new ArrayList<>(List.of("-incoming", "defer"));
        if (prealloc) {
            // By the name that the source's has without any such option.
            flags.addAll(List.of("-object", "memory-backend-ram,id=pc.ram,prealloc=on,size=" + memory));
            flags.addAll(List.of("-machine", "memory-backend=pc.ram"));
        }
        return start("destination", memory, flags);
    }

    private Vm start(String role, long memory, List<String> flags) throws IOException, BenchFailed {
        return Vm.start(program, role + "-" + ++number, folder, memory, flags);
    }

    /** Where a destination may be told to listen. */
    String anywhere() {
        return tcp ? "tcp:127.0.0.1:0" : "unix:" + folder.resolve("m" + ++number);
    }

    /** Has a VM's place listen; where it is reached. */
    String listen(Vm destination) throws BenchFailed {
        String uri = anywhere();
        destination.order("migrate-incoming", uri);
        if (!tcp) {
            return uri;
        }
        if (destination.order("query-migrate") instanceof JsonObject state
                && state.get("socket-address") instanceof JsonArray addresses
                && addresses.values().getFirst() instanceof JsonObject first) {
            return "tcp:127.0.0.1:" + first.string("port", "");
        }
        throw new BenchFailed(destination.name() + " does not say where it listens");
    }

    Probe probe() throws IOException {
        return new Probe(Address.parse(anywhere()), seed);
    }

    /** A peer that takes a stream. */
    Drain drain(@Nullable Path file) throws IOException {
        return new Drain(Address.parse(anywhere()), file);
    }

    /** A VM's own folder. */
    Path store(String name) {
        return folder.resolve("store-" + name);
    }

    /** {@code godwit park}, which drives the source; returns once it is parked. */
    GodwitProcess park(Vm source, Noise noise, Path store, String... more) throws IOException, BenchFailed {
        List<String> words = new ArrayList<>(List.of(
                "park",
                "--incoming",
                anywhere(),
                "--store",
                store.toString(),
                "--qmp-peer",
                source.peer().toString(),
                "--peer-parameter",
                "max-bandwidth=0",
                "--peer-parameter",
                "downtime-limit=10"));
        words.addAll(List.of(more));
        GodwitProcess park = startWarm(noise, words);
        boolean done = false;
        try {
            park.awaitSuccess();
            done = true;
            return park;
        } finally {
            if (!done) {
                park.close();
            }
        }
    }

    /** {@code godwit park} without a return path; returns once it listens. */
    GodwitProcess parkUnsafe(Noise noise, Path store) throws IOException, BenchFailed {
        return startWarm(noise, List.of("park", "--unsafe", "--incoming", anywhere(), "--store", store.toString()));
    }

    /** {@code godwit unpark} of a copy, so that it can be done again. */
    GodwitProcess unpark(Noise noise, Path store, String to, String... more) throws IOException, BenchFailed {
        List<String> words = new ArrayList<>(List.of("unpark", store.toString(), "--clone", "--to", to));
        words.addAll(List.of(more));
        return startWarm(noise, words);
    }

    /** Returns once it is ready. */
    private GodwitProcess startWarm(Noise noise, List<String> words) throws IOException, BenchFailed {
        try (MappedMemory _ = warm(noise.bytes())) {
            GodwitProcess process = GodwitProcess.start(words);
            try {
                process.log().await("ready");
                return process;
            } catch (BenchFailed e) {
                process.close();
                throw e;
            }
        }
    }

    /**
     * Memory that was just touched, to be let go of in the moment in which a migration begins to need as much. This system's free memory may be with the host that it runs on, and
     * getting it back costs several times what a page costs that another has just left: without this, whoever comes at a bad moment pays, and it is not the same one each time.
     */
    MappedMemory warm(long bytes) throws IOException {
        MappedMemory memory = MappedMemory.anonymous("what is about to be needed", bytes);
        memory.preferHugePages();
        if (!memory.populate(0, bytes)) {
            memory.segment().fill((byte) 1);
        }
        return memory;
    }

    long pages(Noise noise) {
        return noise.bytes() >> Pages.SHIFT;
    }

    /** Removes a file, or a folder with all that is in it. */
    static void remove(Path root) throws IOException {
        Workplace.remove(root);
    }

    @Override
    public void close() throws IOException {
        place.close();
    }
}
