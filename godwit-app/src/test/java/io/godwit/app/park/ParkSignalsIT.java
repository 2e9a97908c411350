// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A {@code godwit park} whose VM comes slowly or not at all: what it says meanwhile, and what Ctrl-C does. */
@Timeout(180)
class ParkSignalsIT extends OnBench {
    private static final String[] SLOW = {"--peer-parameter", "max-bandwidth=1000000"};

    /** Without the source's QMP; it is ready. */
    private Process byHand() throws IOException {
        Process park = bench.godwit("park", "--incoming", bench.unix("in"), "--store", bench.store.toString());
        bench.await(park, "\"event\":\"ready\"");
        return park;
    }

    @Test
    void aSignalCancelsBeforeItHasMovedAndTheVmRunsOn() throws Exception {
        QemuProcess source = bench.running(QemuVersion.V11_1.need());
        Process park = bench.park(source, SLOW);
        bench.await(park, "\"status\":\"active\"");
        Bench.signal(park, "INT");
        assertThat(bench.code(park)).as("%s", bench).isEqualTo(1);
        assertThat(bench.toString()).contains("cancelled;");
        assertThat(bench.damage(source)).isEmpty();
    }

    /** Nobody is there who could be told, and nobody who had to be. */
    @Test
    void aSignalEndsAParkByHandThatNobodyCameTo() throws Exception {
        Process park = byHand();
        Bench.signal(park, "INT");
        assertThat(bench.code(park)).as("%s", bench).isEqualTo(1);
        assertThat(bench.toString()).contains("cancelled; no VM had come");
    }

    @Test
    void theSecondSignalEndsAParkByHandAsWasSaid() throws Exception {
        QemuProcess source = bench.running(QemuVersion.V10_0.need());
        Process park = byHand();
        source.qmp("migrate-set-capabilities", (JsonObject)
                Json.parse("{\"capabilities\":[{\"capability\":\"return-path\",\"state\":true}]}"));
        source.qmp("migrate-set-parameters", (JsonObject) Json.parse("{\"max-bandwidth\":100000}"));
        source.qmp("migrate", JsonObject.builder().put("uri", bench.unix("in")).build());
        bench.await(park, "\"status\":\"active\"");
        Bench.signal(park, "INT");
        bench.await(park, "a second signal ends this process");
        Bench.signal(park, "INT");
        assertThat(bench.code(park)).as("%s", bench).isEqualTo(75);
        assertThat(bench.toString()).contains("the VM is its source's");
        assertThat(bench.damage(source)).isEmpty();
    }

    @Test
    void theProgressOfAPrecopyIsWhatHasCome() throws Exception {
        QemuProcess source = bench.running(QemuVersion.V10_0.need());
        Process park = bench.park(source, SLOW);
        JsonObject progress = (JsonObject) Json.parse(bench.await(park, "\"event\":\"progress\""));
        assertThat(progress.int64("done")).isPositive().isLessThan(progress.int64("total"));
        Bench.signal(park, "INT");
        assertThat(bench.code(park)).as("%s", bench).isEqualTo(1);
    }
}
