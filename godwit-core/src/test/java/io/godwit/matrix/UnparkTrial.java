// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.qemu.QemuVersion;
import io.godwit.qmp.QmpClient;
import io.godwit.qmp.QmpException;
import io.godwit.store.StoreState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Godwit's store is the source, QEMU the destination. */
final class UnparkTrial extends Trial {
    private static final Duration ENOUGH = Duration.ofSeconds(15);

    private final QemuPeer destination;
    private GodwitProcess park;
    private @Nullable Relay first;

    UnparkTrial(Cell cell, Path scratch) throws Exception {
        super(cell, scratch);
        copyParked(cell.version(), vm);
        destination = startQemu(true);
        park = startGodwit();
    }

    @Override
    GodwitProcess godwit() {
        return park;
    }

    @Override
    QemuPeer qemu() {
        return destination;
    }

    @Override
    Relay first() {
        return Objects.requireNonNull(first);
    }

    private void begin() throws Exception {
        Address listening = socket();
        destination.listen("migrate-incoming", listening);
        first = relay(listening, FaultPlan.NONE);
        park.migrate(first().address(), false);
    }

    @Override
    String precopy() throws Exception {
        begin();
        return complete();
    }

    @Override
    void toPostcopy() throws Exception {
        park.bandwidth(0, MIB);
        begin();
        Peer.eventually(
                () -> "the source knows that it has it", () -> park.migration().has("downtime"));
        // One that has not started its guest yet ends, at a cut; so does not one that has.
        Peer.eventually(() -> "QEMU runs", destination::runs);
        destination.await("postcopy-active");
    }

    @Override
    Relay recover(FaultPlan plan) throws Exception {
        Address listening = socket();
        destination.listen("migrate-recover", listening);
        Relay relay = relay(listening, plan);
        park.migrate(relay.address(), true);
        return relay;
    }

    @Override
    void refused() {
        park.migrate(socket(), true);
        park.await("postcopy-paused");
    }

    @Override
    void goOn() throws Exception {
        park.close();
        park = startGodwit();
    }

    @Override
    String complete() throws Exception {
        park.bandwidth(0, 0);
        park.await("completed");
        noteMultifd();
        destination.await("completed");
        // It is written down by the disk's own thread.
        Peer.eventually(() -> "the store says gone", () -> manifest().contains("\"gone\""));
        assertThat(state()).isInstanceOf(StoreState.Gone.class);
        sound(destination);
        return "";
    }

    @Override
    String cutInHandshake() throws Exception {
        recover(FaultPlan.parse("back:cut-after=1"));
        park.await("postcopy-paused");
        return ended(destination.process().awaitExit());
    }

    private String ended(int code) {
        assertThat(state()).isInstanceOf(StoreState.Leaving.class);
        return "QEMU's process ends (" + (code > 128 ? "signal " + (code - 128) : "exit code " + code) + ")";
    }

    @Override
    String cutBeforeFirstByte() throws Exception {
        int said = destination.process().said().length();
        recover(FaultPlan.parse("forward:cut-after=0"));
        park.await("postcopy-paused");
        if (cell.version() != QemuVersion.V10_0) {
            return ended(destination.process().awaitExit());
        }
        // It is paused before as well as after.
        Peer.eventually(
                () -> "QEMU has seen it", () -> destination.process().said().length() > said);
        bothPaused();
        recover(FaultPlan.NONE);
        return complete();
    }

    @Override
    String cutInFirstBytes() throws Exception {
        recover(FaultPlan.parse("forward:cut-after=1"));
        park.await("postcopy-paused");
        if (!answers()) {
            assertThat(state()).isInstanceOf(StoreState.Leaving.class);
            return "QEMU's monitor never answers again";
        }
        bothPaused();
        recover(FaultPlan.NONE);
        return complete();
    }

    /** Whether its monitor is alive; one that hangs does so for good. */
    private boolean answers() {
        try (QmpClient probe = QmpClient.connect(destination.process().address(), ENOUGH)) {
            probe.execute("query-status", Json.object(), ENOUGH);
            return true;
        } catch (QmpException e) {
            return false;
        }
    }

    @Override
    String lastWordLost() throws Exception {
        if (cell.way().postcopy()) {
            toPostcopy();
            first().setFault(FaultPlan.parse("back:swallow"));
        } else {
            park.bandwidth(MIB, 0);
            begin();
            Peer.eventually(
                    () -> "it sends, and has been answered",
                    () -> park.migration().has("ram")
                            && park.migration().object("ram").int64("normal") > 50);
            first().setFault(FaultPlan.parse("back:swallow"));
        }
        // Nothing is heard any more: without a deadline for that it goes on to the end.
        park.qmp(
                "migrate-set-parameters",
                JsonObject.builder().put("x-godwit-ping-interval", 0).build());
        park.bandwidth(0, 0);
        destination.await("completed");
        first().close();
        String status = park.await("uncertain", "postcopy-paused");
        sound(destination);
        assertThat(manifest()).as("everything is kept").contains("leaving");
        park.qmp(
                "x-godwit-migrate-resolve",
                JsonObject.builder()
                        .put("owner", "destination")
                        .put("whole", cell.way().postcopy())
                        .build());
        park.await("completed");
        Peer.eventually(
                () -> "the store says that the VM is gone: " + manifest(),
                () -> manifest().contains("\"gone\""));
        assertThat(state()).isInstanceOf(StoreState.Gone.class);
        return "QEMU has completed; Godwit says " + status + ", keeps everything and is told the end";
    }
}
