// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.guest.BootSector;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import io.godwit.store.OsDisk;
import io.godwit.store.StoreState;
import io.godwit.store.VmStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** One cell of the matrix, carried out: a guest that writes all the time, a QEMU, Godwit in a process of its own, and a relay between them for each connection. */
abstract class Trial implements AutoCloseable {
    static final int MIB = 1 << 20;
    static final BootSector GUEST = BootSector.noise(MIB, 12 * MIB).slow(2_000_000);

    /** Places at which a handshake is cut, in bytes: in the first message, in the middle, and just before its end or past it. */
    private static final List<String> CUTS = List.of(
            "forward:cut-after=4",
            "back:cut-after=1",
            "forward:cut-after=30",
            "back:cut-after=300",
            "back:cut-after=560");

    final Cell cell;
    final Path scratch;
    final Path vm;
    final Path disk;
    private final List<Runnable> closers = new ArrayList<>();
    private int sockets;
    private long overMultifd;

    Trial(Cell cell, Path scratch) throws IOException {
        this.cell = cell;
        this.scratch = scratch;
        this.vm = scratch.resolve("vm");
        this.disk = GUEST.write(scratch.resolve("disk"));
    }

    /** Carries it out; what was seen, as a short sentence, empty if all went as it should. */
    final String run() throws Exception {
        return switch (cell.way()) {
            case PRECOPY -> precopy();
            case MULTIFD -> {
                String seen = precopy();
                assertThat(overMultifd).as("bytes over the channels").isPositive();
                yield seen;
            }
            case POSTCOPY -> {
                toPostcopy();
                yield complete();
            }
            case RECOVERED -> {
                toPaused();
                recover(FaultPlan.NONE);
                yield complete();
            }
            case MULTIFD_RECOVERED -> {
                toPaused();
                noteMultifd();
                assertThat(overMultifd).as("bytes over the channels").isPositive();
                recover(FaultPlan.NONE);
                yield complete();
            }
            case REFUSED -> {
                toPaused();
                for (int i = 0; i < 3; i++) {
                    refused();
                    bothPaused();
                }
                recover(FaultPlan.NONE);
                yield complete();
            }
            case FAILED -> failedRecoveries();
            case HELD -> held();
            case CUT_IN_HANDSHAKE -> {
                toPaused();
                yield cutInHandshake();
            }
            case CUT_BEFORE_FIRST_BYTE -> {
                toPaused();
                yield cutBeforeFirstByte();
            }
            case CUT_IN_FIRST_BYTES -> {
                toPaused();
                yield cutInFirstBytes();
            }
            case KILLED -> {
                toPostcopy();
                godwit().kill();
                qemu().await("postcopy-paused");
                goOn();
                recover(FaultPlan.NONE);
                yield complete();
            }
            case WORD_LOST_IN_PRECOPY, WORD_LOST_IN_POSTCOPY -> lastWordLost();
        };
    }

    abstract GodwitProcess godwit();

    abstract QemuPeer qemu();

    abstract String precopy() throws Exception;

    /** The guest is the destination's, most of its memory not yet. */
    abstract void toPostcopy() throws Exception;

    /** A recovery begins over a relay that misbehaves so. */
    abstract Relay recover(FaultPlan plan) throws Exception;

    /** A recovery that reaches nobody. */
    abstract void refused() throws Exception;

    /** With all bandwidth; then the memory is looked at. */
    abstract String complete() throws Exception;

    /** A new process takes the store over. */
    abstract void goOn() throws Exception;

    /** With a relay under way. */
    abstract String lastWordLost() throws Exception;

    /** What became of a QEMU that does not survive it, and that Godwit lost nothing. */
    abstract String cutInHandshake() throws Exception;

    /** What became of a QEMU that nobody said anything to. */
    abstract String cutBeforeFirstByte() throws Exception;

    /** What became of a QEMU that had to judge by less than it wanted. */
    abstract String cutInFirstBytes() throws Exception;

    /** The relay of the first connection. */
    abstract Relay first();

    private void toPaused() throws Exception {
        toPostcopy();
        first().cut();
        bothPaused();
    }

    /** What the source says of the channels, before it is ended. */
    final void noteMultifd() {
        JsonObject migration = (cell.role() == Cell.Role.PARK ? qemu() : godwit()).migration();
        overMultifd = migration.has("ram") ? migration.object("ram").int64("multifd-bytes") : 0;
    }

    final void bothPaused() {
        godwit().await("postcopy-paused", "uncertain");
        qemu().await("postcopy-paused");
    }

    String failedRecoveries() throws Exception {
        toPaused();
        refused();
        bothPaused();
        for (boolean godwitFirst : new boolean[] {true, false}) {
            Relay swallowing = recover(FaultPlan.parse("back:swallow"));
            godwit().await("postcopy-recover");
            qemu().await("postcopy-recover");
            if (godwitFirst) {
                godwit().pause();
                qemu().await("postcopy-recover", "postcopy-paused");
            }
            if (qemu().status().equals("postcopy-recover")) {
                qemu().pauseUnlessPaused();
            }
            if (!godwitFirst && godwit().status().equals("postcopy-recover")) {
                godwit().pauseUnlessPaused();
            }
            bothPaused();
            swallowing.close();
        }
        for (String cut : CUTS) {
            Relay relay = recover(FaultPlan.parse(cut));
            // A byte past the handshake is a cut like any other; not to wait for it, all is cut once it went through.
            Peer.eventually(() -> "all is cut after " + cut, () -> {
                boolean met =
                        relay.stats().accepted() > 0 && relay.fault().faults().isEmpty();
                if (met || godwit().status().equals("postcopy-active")) {
                    // A channel for urgent pages may have come after the cut.
                    relay.cut();
                }
                return met || (relay.stats().accepted() > 0 && relay.stats().open() == 0);
            });
            bothPaused();
        }
        return lastRecovery();
    }

    /** Nothing is in its way any more. */
    String lastRecovery() throws Exception {
        recover(FaultPlan.NONE);
        return complete();
    }

    /** The rule for a 7.2: one connection, and it is never ours to end. */
    private String held() throws Exception {
        toPaused();
        godwit().qmp(
                        "migrate-set-parameters",
                        JsonObject.builder()
                                .put("x-godwit-peer-may-be-7.2", true)
                                .put("x-godwit-handshake-timeout", cell.preempt() ? 60_000 : 300)
                                .build());
        Relay relay = recover(FaultPlan.parse("back:stall"));
        if (cell.preempt()) {
            godwit().await("postcopy-recover");
            godwit().pause();
        }
        Peer.eventually(
                () -> "Godwit holds the channel; it is in " + godwit().status(),
                () -> godwit().status().equals("postcopy-paused") && godwit().holds());
        qemu().await("postcopy-recover");
        relay.setFault(FaultPlan.NONE);
        Peer.eventually(() -> "the channel is used again", () -> !godwit().holds());
        return complete();
    }

    final List<String> capabilities(boolean postcopy) {
        List<String> capabilities = new ArrayList<>(List.of("return-path"));
        if (postcopy) {
            capabilities.add("postcopy-ram");
        }
        if (cell.preempt()) {
            capabilities.add("postcopy-preempt");
        }
        if (cell.way().multifd()) {
            capabilities.add("multifd");
        }
        return capabilities;
    }

    final List<String> capabilities() {
        return capabilities(cell.way().postcopy() || cell.preempt());
    }

    final GodwitProcess startGodwit() throws IOException {
        GodwitProcess godwit = keep(GodwitProcess.start(vm, scratch));
        godwit.capabilities(capabilities());
        if (cell.role() == Cell.Role.UNPARK && cell.version() == QemuVersion.V7_2) {
            // As the page says: without it the channel for urgent pages comes too late for this one.
            godwit.qmp(
                    "migrate-set-parameters",
                    JsonObject.builder().put("x-godwit-peer-may-be-7.2", true).build());
        }
        return godwit;
    }

    final QemuPeer startQemu(boolean incoming) throws IOException {
        QemuProcess.Recipe recipe = QemuProcess.Recipe.of(cell.version()).disk(disk);
        QemuProcess process = (incoming ? recipe.incoming() : recipe).start(scratch);
        QemuPeer qemu = new QemuPeer(keep(process, process::close));
        qemu.capabilities(capabilities());
        return qemu;
    }

    final Relay relay(Address target, FaultPlan plan) throws IOException {
        Relay relay = Relay.start(socket(), target, plan, event -> {});
        return keep(relay, relay::close);
    }

    private <T> T keep(T thing, Runnable close) {
        closers.add(close);
        return thing;
    }

    final GodwitProcess keep(GodwitProcess godwit) {
        return keep(godwit, godwit::close);
    }

    /** A socket that nobody has used yet. */
    final Address.Unix socket() {
        return new Address.Unix(scratch.resolve("s" + ++sockets));
    }

    /** As it stands on disk now. */
    final String manifest() {
        try {
            return Files.readString(vm.resolve("manifest.json"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As the next process finds it. */
    final StoreState state() {
        godwit().close();
        try (VmStore store = VmStore.open(new OsDisk(), vm, InstantSource.system(), "test")) {
            return Objects.requireNonNull(store.manifest()).state();
        }
    }

    /** The guest runs there, and every page of it is right. */
    static void sound(QemuPeer qemu) throws IOException {
        Peer.eventually(() -> "QEMU runs", qemu::runs);
        qemu.process().awaitCounted(GUEST);
        assertThat(qemu.process().damage(GUEST)).isNull();
    }

    /** A guest of that version that was parked; made once. */
    static void copyParked(QemuVersion version, Path to) throws Exception {
        ParkedImages.copy(version, to);
    }

    @Override
    public void close() {
        closers.reversed().forEach(Runnable::run);
    }
}
