// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Address;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import io.godwit.qmp.EndpointQmp;
import io.godwit.sys.Descriptor;
import io.godwit.sys.HandingClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One client, which speaks to QEMU and to Godwit alike, connects the two and hands each its end by getfd: into a store and out of it, with a recovery. */
@Timeout(60)
class HandedDescriptorsQemuIT {
    private static final Capability[] POSTCOPY = {Capability.RETURN_PATH, Capability.POSTCOPY_RAM};

    @TempDir
    private Path folder = Path.of("");

    private final MemoryStore store = new MemoryStore();

    @ParameterizedTest
    @EnumSource
    void aVmGoesAndComesBackOverWhatGetfdNamed(QemuVersion version) throws Exception {
        Garage garage = new Garage(folder);
        try (QemuProcess source = garage.running(version, Capability.RETURN_PATH);
                Endpoint park = parking(store, Capability.RETURN_PATH)) {
            Diary diary = diary(park);
            connect(source, "migrate", park, "migrate-incoming", "execute", "");
            diary.await(MigrationStatus.COMPLETED);
            Garage.await(source, "completed");
            Garage.sameMemory(source, store);
        }
        try (QemuProcess destination = garage.awaiting(version, POSTCOPY);
                Endpoint park = parking(store.restarted(), POSTCOPY)) {
            Diary diary = diary(park);
            park.setParameters(p -> Pair.slow(p).withPeerMayBe72(version == QemuVersion.V7_2));
            connect(park, "migrate", destination, "migrate-incoming", "execute", "");
            Garage.awaitRunning(destination);
            Pair.eventually("the destination has it", () -> park.info().downtimeMillis() >= 0);
            park.migratePause();
            diary.await(MigrationStatus.POSTCOPY_PAUSED);
            Garage.await(destination, "postcopy-paused");
            park.setParameters(p -> Pair.fast(p).withPeerMayBe72(version == QemuVersion.V7_2));
            connect(park, "migrate", destination, "migrate-recover", "exec-oob", ",\"resume\":true");
            diary.await(MigrationStatus.COMPLETED);
            Garage.await(destination, "completed");
            Garage.runs(destination);
        }
    }

    private static Endpoint parking(MemoryStore store, Capability... capabilities) throws Exception {
        Endpoint endpoint = Endpoint.parking("park", store, false, System::nanoTime, new Random(1));
        endpoint.setCapabilities(Pair.on(capabilities));
        endpoint.setParameters(Pair::fast);
        return endpoint;
    }

    private static Diary diary(Endpoint endpoint) {
        Diary diary = new Diary("park");
        endpoint.addListener(diary);
        return diary;
    }

    /** @param way how the one that waits is told */
    private void connect(Object goes, String migrate, Object waits, String incoming, String way, String more)
            throws IOException {
        try (HandingClient.Ends ends = HandingClient.pair();
                Told waiting = new Told(waits);
                Told going = new Told(goes)) {
            waiting.does("execute", "getfd", "\"fdname\":\"mig\"", ends.one());
            going.does("execute", "getfd", "\"fdname\":\"mig\"", ends.other());
            waiting.does(way, incoming, "\"uri\":\"fd:mig\"");
            going.does("execute", migrate, "\"uri\":\"fd:mig\"" + more);
        }
    }

    /** Either kind of end, and a client of its QMP. */
    private final class Told implements AutoCloseable {
        private final @Nullable EndpointQmp served;
        private final HandingClient client;

        Told(Object end) throws IOException {
            Address address;
            if (end instanceof QemuProcess qemu) {
                served = null;
                address = qemu.address();
            } else {
                served = EndpointQmp.serve(new Address.Unix(folder.resolve("qmp")), (Endpoint) end);
                address = served.address();
            }
            client = new HandingClient(((Address.Unix) address).path());
            assertThat(client.line()).contains("QMP");
            does("execute", "qmp_capabilities", "\"enable\":[\"oob\"]");
        }

        void does(String way, String command, String arguments, Descriptor... handed) throws IOException {
            client.send("{\"" + way + "\":\"" + command + "\",\"arguments\":{" + arguments + "}}", handed);
            String line = client.line();
            while (line.contains("\"event\"")) {
                line = client.line();
            }
            assertThat(line).as(command).isEqualTo("{\"return\": {}}");
        }

        @Override
        public void close() throws IOException {
            client.close();
            if (served != null) {
                served.close();
            }
        }
    }
}
