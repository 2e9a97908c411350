// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.qemu.QemuVersion;
import io.godwit.store.StoreState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** QEMU is the source, Godwit's store the destination. */
final class ParkTrial extends Trial {
    /** As an exit code. */
    private static final int SIGABRT = 128 + 6;

    private static final int MOST_RECOVERIES = 8;

    private final QemuPeer source;
    private GodwitProcess park;
    private final Address listening;
    private @Nullable Relay first;

    ParkTrial(Cell cell, Path scratch) throws IOException {
        super(cell, scratch);
        source = startQemu(false);
        source.process().awaitCounted(GUEST);
        park = startGodwit();
        listening = socket();
    }

    @Override
    GodwitProcess godwit() {
        return park;
    }

    @Override
    QemuPeer qemu() {
        return source;
    }

    @Override
    Relay first() {
        return Objects.requireNonNull(first);
    }

    private void begin() throws IOException {
        park.listen("migrate-incoming", listening);
        first = relay(listening, FaultPlan.NONE);
        source.migrate(first().address(), false);
    }

    @Override
    String precopy() throws Exception {
        begin();
        return complete();
    }

    @Override
    void toPostcopy() throws Exception {
        source.bandwidth(MIB, MIB);
        begin();
        Peer.eventually(() -> "the source sends", () -> sent() > 0);
        source.qmp("migrate-start-postcopy", Json.object());
        park.await("postcopy-active");
        source.await("postcopy-active");
    }

    private long sent() {
        JsonObject migration = source.migration();
        return migration.has("ram") ? migration.object("ram").int64("normal") : 0;
    }

    @Override
    Relay recover(FaultPlan plan) throws Exception {
        Address again = socket();
        listenAgain(again);
        Relay relay = relay(again, plan);
        source.migrate(relay.address(), true);
        return relay;
    }

    /** What was cut a moment ago may be taken up here and lost again after both ends have said that they are paused. */
    private void listenAgain(Address again) {
        Peer.eventually(() -> "Godwit listens again", () -> {
            try {
                park.listen("migrate-recover", again);
                return true;
            } catch (AssertionError refused) {
                if (!String.valueOf(refused.getMessage()).contains("the state is postcopy-recover")) {
                    throw refused;
                }
                return false;
            }
        });
    }

    @Override
    void refused() {
        // QEMU 10.0 and later tell of it in their state, 7.2 in the answer.
        source.obeys(
                "migrate",
                JsonObject.builder()
                        .put("uri", socket().toString())
                        .put("resume", true)
                        .build());
    }

    @Override
    void goOn() throws Exception {
        park.close();
        park = keep(GodwitProcess.start(vm, scratch));
    }

    /**
     * A source of QEMU 10.0 and later ends itself now and then after its main channel was cut while its preempt channel connected: there, or when all is sent. That is not in
     * our hands; that what came is kept, and whole is said only of what is whole, is.
     */
    @Override
    String failedRecoveries() throws Exception {
        try {
            return super.failedRecoveries();
        } catch (AssertionError e) {
            if (!cell.preempt() || source.process().endedWithin(1_000) != SIGABRT) {
                throw e;
            }
            if (park.await("postcopy-paused", "completed").equals("postcopy-paused")) {
                assertThat(state()).isInstanceOf(StoreState.ReceivingPostcopy.class);
                return "QEMU ends by SIGABRT in one of them";
            }
            assertThat(state()).isInstanceOf(StoreState.ParkedUnconfirmed.class);
            assertThat(GUEST.damage(Arrays.copyOf(parkedMemory(), GUEST.end() - GUEST.first())))
                    .isNull();
            return "yes, but QEMU ends by SIGABRT once all is sent";
        }
    }

    /**
     * A QEMU source of 10.0 and later with a preempt channel may let go of a recovery in which all went well (docs/compatibility.md); it says so to nobody and stays in postcopy-recover until this end has waited for too
     * long. For that alone another recovery is tried: whatever else pauses the last one is wrong.
     */
    @Override
    String lastRecovery() throws Exception {
        source.bandwidth(0, 0);
        boolean mayLetGo = cell.preempt() && cell.version() != QemuVersion.V7_2;
        for (int more = 0; more < MOST_RECOVERIES; more++) {
            recover(FaultPlan.NONE);
            if (!mayLetGo || source.await("completed", "postcopy-paused").equals("completed")) {
                return complete() + (more == 0 ? "" : "yes, after another recovery");
            }
            bothPaused();
            assertThat(park.migration().string("error-desc")).contains("nothing came for too long in postcopy-recover");
        }
        throw new AssertionError("paused again after each of " + MOST_RECOVERIES + " recoveries");
    }

    @Override
    String complete() throws Exception {
        source.bandwidth(0, 0);
        source.await("completed");
        park.await("completed");
        noteMultifd();
        assertThat(state()).isInstanceOfAny(StoreState.Parked.class, StoreState.ParkedUnconfirmed.class);
        sameMemory();
        return "";
    }

    /** What the store has of the guest's pages is what the source's stopped machine has, to the bit. */
    private void sameMemory() throws IOException {
        byte[] there = source.process().memory(MIB, 15 * MIB);
        byte[] here = parkedMemory();
        assertThat(Arrays.mismatch(here, there)).isEqualTo(-1);
        assertThat(GUEST.damage(Arrays.copyOf(here, GUEST.end() - GUEST.first())))
                .isNull();
    }

    private byte[] parkedMemory() throws IOException {
        byte[] ram = Files.readAllBytes(vm.resolve("ram-0"));
        assertThat(ram).hasSize(16 * MIB);
        return Arrays.copyOfRange(ram, MIB, 16 * MIB);
    }

    @Override
    String cutInHandshake() throws Exception {
        recover(FaultPlan.parse("forward:cut-after=1"));
        park.await("postcopy-paused");
        source.await("postcopy-recover");
        boolean stuck = !source.obeys("migrate-pause", Json.object())
                && !source.obeys(
                        "migrate",
                        JsonObject.builder()
                                .put("uri", listening.toString())
                                .put("resume", true)
                                .build());
        assertThat(stuck).as("it cannot be moved any more").isTrue();
        assertThat(source.status()).isEqualTo("postcopy-recover");
        assertThat(state()).isInstanceOf(StoreState.ReceivingPostcopy.class);
        return "QEMU stays in postcopy-recover for good";
    }

    @Override
    String cutBeforeFirstByte() {
        throw new IllegalStateException("here Godwit is the one that listens");
    }

    @Override
    String cutInFirstBytes() {
        throw new IllegalStateException("here Godwit is the one that listens");
    }

    @Override
    String lastWordLost() throws Exception {
        boolean postcopy = cell.way().postcopy();
        if (postcopy) {
            toPostcopy();
        } else {
            source.bandwidth(MIB, 0);
            begin();
            Peer.eventually(() -> "the source sends", () -> sent() > 0);
        }
        first().setFault(FaultPlan.parse("back:swallow"));
        source.bandwidth(0, 0);
        park.await("completed");
        first().close();
        // What it does, if it does something, it does at once.
        String status = source.await("failed", "completed", "postcopy-active", "postcopy-paused");
        Peer.eventually(
                () -> "the source has made up its mind",
                () -> source.status().equals("postcopy-active")
                        || !source.status().equals("active"));
        String seen = "QEMU says " + status
                + (status.equals("failed") && runsSoon() ? " and runs the guest again" : ", its guest stands");
        StoreState state = state();
        if (seen.contains("runs the guest")) {
            assertThat(state)
                    .as("a guest that may run at its source must not be taken for parked")
                    .isInstanceOf(StoreState.ParkedUnconfirmed.class);
        }
        return seen + "; the store says " + state.word();
    }

    private boolean runsSoon() {
        Peer.eventually(() -> "the guest runs again at the source", source::runs);
        return true;
    }
}
