// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.guest.BootSector;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.protocol.Capability;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/** Real QEMUs for a test: a guest that writes all the time, how they are told what to do, and how their memory is looked at. */
final class Garage {
    static final int MIB = 1 << 20;
    static final BootSector GUEST = BootSector.noise(MIB, 12 * MIB).slow(2_000_000);

    private final Path folder;
    private final Path disk;

    Garage(Path folder) throws IOException {
        this.folder = folder;
        this.disk = GUEST.write(folder.resolve("disk"));
    }

    /** The guest runs, and has been through all its pages. */
    QemuProcess running(QemuVersion version, Capability... capabilities) throws IOException {
        return running(version, new String[0], capabilities);
    }

    QemuProcess running(QemuVersion version, String[] flags, Capability... capabilities) throws IOException {
        QemuProcess qemu = QemuProcess.Recipe.of(version).disk(disk).with(flags).start(folder);
        try {
            qemu.awaitCounted(GUEST);
            set(qemu, capabilities);
            return qemu;
        } catch (IOException | RuntimeException | AssertionError e) {
            qemu.close();
            throw e;
        }
    }

    QemuProcess awaiting(QemuVersion version, Capability... capabilities) throws IOException {
        return awaiting(version, new String[0], capabilities);
    }

    QemuProcess awaiting(QemuVersion version, String[] flags, Capability... capabilities) throws IOException {
        QemuProcess qemu =
                QemuProcess.Recipe.of(version).disk(disk).with(flags).incoming().start(folder);
        set(qemu, capabilities);
        return qemu;
    }

    /** A socket that nobody has used yet. */
    Address.Unix socket(String name) {
        return new Address.Unix(folder.resolve(name));
    }

    private static void set(QemuProcess qemu, Capability... capabilities) {
        qemu.qmp(
                "migrate-set-capabilities",
                JsonObject.builder()
                        .put(
                                "capabilities",
                                new JsonArray(Stream.of(capabilities)
                                        .<Json>map(c -> JsonObject.builder()
                                                .put("capability", c.word())
                                                .put("state", true)
                                                .build())
                                        .toList()))
                        .build());
    }

    /** Bytes per second before and after the switch; so little downtime that a precopy would never end. */
    static void bandwidth(QemuProcess qemu, long precopy, long postcopy) {
        qemu.qmp(
                "migrate-set-parameters",
                JsonObject.builder()
                        .put("max-bandwidth", precopy)
                        .put("max-postcopy-bandwidth", postcopy)
                        .put("downtime-limit", 1)
                        .build());
    }

    static void migrate(QemuProcess source, Address target, boolean resume) {
        JsonObject.Builder arguments = JsonObject.builder().put("uri", target.toString());
        source.qmp("migrate", resume ? arguments.put("resume", true).build() : arguments.build());
    }

    /** @param command migrate-incoming or migrate-recover */
    static Address listen(QemuProcess destination, String command, Address at) {
        destination.qmp(command, JsonObject.builder().put("uri", at.toString()).build());
        return at;
    }

    static void await(QemuProcess qemu, String status) {
        Pair.eventually("QEMU is in " + status, () -> status(qemu).equals(status));
    }

    static void awaitRunning(QemuProcess qemu) {
        Pair.eventually("QEMU runs", () -> ((JsonObject) qemu.qmp("query-status")).bool("running"));
    }

    private static String status(QemuProcess qemu) {
        JsonObject migration = (JsonObject) qemu.qmp("query-migrate");
        return migration.has("status") ? migration.string("status") : "none";
    }

    /** What the store has of the guest's pages is what the source's stopped machine has, to the bit. */
    static void sameMemory(QemuProcess source, MemoryStore store) throws IOException {
        byte[] there = source.memory(MIB, 15 * MIB);
        byte[] here = Arrays.copyOfRange(store.ram("pc.ram"), MIB, 16 * MIB);
        assertThat(Arrays.mismatch(here, there)).isEqualTo(-1);
        assertThat(GUEST.damage(Arrays.copyOf(here, GUEST.end() - GUEST.first())))
                .isNull();
    }

    /** The guest runs there, and every page of it is right. */
    static void runs(QemuProcess destination) throws IOException {
        awaitRunning(destination);
        destination.awaitCounted(GUEST);
        assertThat(destination.damage(GUEST)).isNull();
    }
}
