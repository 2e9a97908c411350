// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The store on a real file system, with processes that are killed. */
class OsDiskIT {
    private static final int PAGES = 4096;
    private static final Arrival BIG = new Arrival(
            "pc-i440fx-10.0", List.of(BlockInfo.of("pc.ram", PAGES * (long) Pages.SIZE)), 2, null, null, null, -1);

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path folder;

    /** Takes a store, says so, and waits. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] args) {
            try (VmStore store = Shelf.open(new OsDisk(), Path.of(args[0]))) {
                System.out.println("held " + store.folder());
                LockSupport.park();
            } catch (StoreException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    /** Receives pages by postcopy, with a checkpoint each 100, and says what is durable. Goes on from where an earlier one was killed. */
    static final class Receiver {
        private Receiver() {}

        public static void main(String[] args) {
            VmStore store = Shelf.open(new OsDisk(), Path.of(args[0]));
            Manifest manifest = store.manifest();
            StoreSink sink;
            if (manifest != null && manifest.state() instanceof StoreState.ReceivingPostcopy) {
                sink = store.resumeReceiving();
            } else {
                sink = store.receive(BIG);
                sink.beginPostcopy();
                store.handOver(Shelf.BLOB);
            }
            SplittableRandom dice = new SplittableRandom(Long.parseLong(args[1]));
            while (sink.missing() > 0) {
                for (int i = 0; i < 100; i++) {
                    long page = dice.nextInt(PAGES);
                    if (page % 7 == 0) {
                        sink.placeZero(0, page);
                    } else {
                        sink.place(0, page, TestPages.of(page), 0);
                    }
                }
                System.out.println(store.checkpoint());
            }
            store.park(null, true);
            System.out.println("parked");
        }
    }

    private static Process java(Class<?> main, String... args) throws IOException {
        Path classes = Path.of(System.getProperty("godwit.classes"));
        Path beside = classes.resolveSibling("test-classes");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                classes + ":" + (Files.exists(beside) ? beside : classes.resolveSibling("t")),
                main.getName()));
        command.addAll(List.of(args));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    @Test
    void aKilledReceiverGoesOnFromItsLastCheckpoint() throws Exception {
        long seed = new Random().nextLong();
        System.out.println("aKilledReceiverGoesOnFromItsLastCheckpoint: seed " + seed);
        SplittableRandom dice = new SplittableRandom(seed);
        Path vm = folder.resolve("vm");
        long durable = 0;
        for (int life = 0; life < 3; life++) {
            Process process = java(Receiver.class, vm.toString(), Long.toString(dice.nextLong()));
            try (BufferedReader said = process.inputReader()) {
                int checkpoints = 1 + dice.nextInt(6);
                for (int i = 0; i < checkpoints; i++) {
                    durable = Math.max(durable, Long.parseLong(Objects.requireNonNull(said.readLine())));
                }
            } finally {
                process.destroyForcibly().waitFor();
            }
            assertClaims(vm, durable);
        }

        Process last = java(Receiver.class, vm.toString(), Long.toString(dice.nextLong()));
        try (BufferedReader said = last.inputReader()) {
            assertThat(said.lines().toList()).last().isEqualTo("parked");
            assertThat(last.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            last.destroyForcibly();
        }
        try (VmStore store = Shelf.open(new OsDisk(), vm);
                StoreSource source = store.source()) {
            for (int page = 0; page < PAGES; page++) {
                assertThat(Shelf.read(source, 0, page).equals(TestPages.of(page % 7 == 0 ? 0 : page)))
                        .as("page %d", page)
                        .isTrue();
            }
            assertThat(Verification.run(source, _ -> {}).isWhole()).isTrue();
        }
    }

    private static void assertClaims(Path vm, long atLeast) throws IOException {
        byte[] file = Files.readAllBytes(vm.resolve("ram-0"));
        try (VmStore store = Shelf.open(new OsDisk(), vm)) {
            StoreSink sink = store.resumeReceiving();
            assertThat(sink.received(0).cardinality()).isGreaterThanOrEqualTo(atLeast);
            for (long page = sink.received(0).nextSet(0);
                    page >= 0;
                    page = sink.received(0).nextSet(page + 1)) {
                ByteBuffer bytes = ByteBuffer.wrap(file, (int) page * Pages.SIZE, Pages.SIZE);
                assertThat(bytes.equals(TestPages.of(page % 7 == 0 ? 0 : page)))
                        .as("page %d", page)
                        .isTrue();
            }
        }
    }

    @Test
    void checkpointsAreMadeWhileTheLoopGoesOn() throws Exception {
        Path vm = folder.resolve("vm");
        try (VmStore store = Shelf.open(new OsDisk(), vm)) {
            StoreSink sink = store.receive(BIG);
            sink.beginPostcopy();
            store.handOver(Shelf.BLOB);
            FutureTask<Long> checkpoints = new FutureTask<>(() -> {
                long made = 0;
                long durable;
                do {
                    durable = store.checkpoint();
                    made++;
                } while (durable < PAGES);
                return made;
            });
            Thread thread = new Thread(checkpoints, "store");
            thread.start();
            for (int i = 0; i < PAGES; i++) {
                int page = i * 1237 % PAGES;
                assertThat(sink.place(0, page, TestPages.of(page + 1), 0)).isTrue();
            }
            assertThat(checkpoints.get(50, TimeUnit.SECONDS)).isPositive();
            thread.join();
            store.park(null, true);
            try (StoreSource source = store.source()) {
                for (int page = 0; page < PAGES; page++) {
                    assertThat(Shelf.read(source, 0, page).equals(TestPages.of(page + 1)))
                            .as("page %d", page)
                            .isTrue();
                }
            }
        }
    }

    @Test
    void aFolderThatAnotherProcessHoldsIsRefusedWithItsName() throws Exception {
        Path vm = folder.resolve("vm");
        Process holder = java(Holder.class, vm.toString());
        try (BufferedReader said = holder.inputReader()) {
            assertThat(said.readLine()).isEqualTo("held " + vm);

            assertThatThrownBy(() -> Shelf.open(new OsDisk(), vm))
                    .isInstanceOfSatisfying(
                            StoreException.class, e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.LOCKED))
                    .hasMessageContaining("process " + holder.pid() + " holds");
        } finally {
            holder.destroyForcibly().waitFor();
        }
        Shelf.open(new OsDisk(), vm).close();
    }

    @Test
    void aFolderThatThisProcessHoldsIsRefusedAndStaysHeld() throws Exception {
        Path vm = folder.resolve("vm");
        try (VmStore store = Shelf.open(new OsDisk(), vm)) {
            assertThat(store.manifest()).isNull();
            assertThatThrownBy(() -> Shelf.open(new OsDisk(), vm)).hasMessageContaining("this process holds");

            Process other = java(Holder.class, vm.toString());
            try (BufferedReader said = other.inputReader()) {
                assertThat(said.readLine())
                        .startsWith("process " + ProcessHandle.current().pid() + " holds");
            } finally {
                other.destroyForcibly().waitFor();
            }
        }
    }

    @Test
    void ramFilesAreSparse() throws Exception {
        Path vm = folder.resolve("vm");
        Arrival huge = new Arrival("pc", List.of(BlockInfo.of("pc.ram", 1L << 34)), 1, null, null, null, -1);
        try (VmStore store = Shelf.open(new OsDisk(), vm)) {
            StoreSink sink = store.receive(huge);
            for (long page = 0; page < 1L << 22; page++) {
                sink.storeZero(0, page);
            }
            sink.store(0, 12345, TestPages.of(9), 0);
            store.park(Shelf.DEVICES, true);
            try (StoreSource source = store.source()) {
                assertThat(Shelf.read(source, 0, 12345)).isEqualTo(TestPages.of(9));
            }
        }
        assertThat(Files.size(vm.resolve("ram-0"))).isEqualTo(1L << 34);
        Process du = new ProcessBuilder("du", "-sk", vm.toString()).start();
        try (BufferedReader said = du.inputReader()) {
            long kib = Long.parseLong(Objects.requireNonNull(said.readLine()).split("\t", -1)[0]);
            assertThat(kib).as("KiB on disk for 16 GiB of zeroes").isLessThan(4096);
        }
    }

    @Test
    void aFullFileSystemIsKnownAsFull() throws Exception {
        Path mount = Files.createDirectory(folder.resolve("small"));
        Assumptions.assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=6m", "godwit-test", mount.toString()),
                "a small file system can be mounted by root only");
        try (VmStore store = Shelf.open(new OsDisk(), mount.resolve("vm"))) {
            StoreSink sink = store.receive(BIG);
            sink.beginPostcopy();
            store.handOver(Shelf.BLOB);
            Path filler = mount.resolve("filler");
            Files.write(filler, new byte[3 << 20]);

            assertThatThrownBy(() -> placeAll(sink))
                    .isInstanceOfSatisfying(
                            StoreException.class, e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.FULL))
                    .hasMessageContaining("free space on that file system");
            long received = sink.received(0).cardinality();
            assertThat(received).isBetween(100L, 1000L);
            Files.delete(filler);
            assertThat(store.checkpoint()).isEqualTo(received);
        } finally {
            assertThat(run("umount", mount.toString())).isTrue();
        }
    }

    private static void placeAll(StoreSink sink) {
        for (int page = 0; page < PAGES; page++) {
            sink.place(0, page, TestPages.of(page + 1), 0);
        }
    }

    private static boolean run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getInputStream().readAllBytes();
        return process.waitFor() == 0;
    }

    @Test
    void whatTheDiskSaysIsToldByKind() {
        OsDisk disk = new OsDisk();
        Path none = folder.resolve("none");
        assertThatThrownBy(() -> disk.openForReading(none))
                .isInstanceOfSatisfying(
                        DiskException.class, e -> assertThat(e.kind()).isEqualTo(DiskException.Kind.MISSING))
                .hasMessage("cannot open " + none + ": it does not exist");
        assertThatThrownBy(() -> disk.openForWriting(none.resolve("deeper")))
                .isInstanceOfSatisfying(
                        DiskException.class, e -> assertThat(e.kind()).isEqualTo(DiskException.Kind.MISSING));
    }
}
