// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.app.lab.InProcesses;
import io.godwit.app.lab.Programs;
import io.godwit.qemu.QemuVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** However the demo with real QEMUs ends, in whatever phase: no process, no socket and no file is left. */
@Timeout(180)
class QemuDemoKillIT extends InProcesses {
    @ParameterizedTest
    @CsvSource({
        "KILL, A virtual machine, 137",
        "KILL, both ends hang, 137",
        "KILL, == Unpark: another, 137",
        "INT, both ends hang, 130",
        "TERM, the VM runs again, 143",
        "HUP, == Park: the VM runs, 129"
    })
    void nothingIsLeft(String signal, String phase, int code) throws Exception {
        Programs.Program demo = programs.start(QemuDemoIT.small(QemuVersion.V11_1));
        demo.line(phase);
        List<ProcessHandle> children = DemoKillIT.signal(demo, signal);
        assertThat(demo.code()).isEqualTo(code);
        DemoKillIT.await("the children end", () -> children.stream().noneMatch(ProcessHandle::isAlive));
        DemoKillIT.await("the folder is removed", () -> DemoKillIT.isEmpty(temp));
    }

    /** As a closed terminal does it: the whole process group gets the signal. */
    @ParameterizedTest
    @CsvSource({"KILL, both ends hang", "INT, == Park: the VM runs"})
    void theSignalMayBeForTheWholeGroup(String signal, String phase) throws Exception {
        List<String> words = new ArrayList<>(List.of("setsid"));
        words.addAll(programs.command(QemuDemoIT.small(QemuVersion.V11_1)));
        Programs.Program demo = programs.start(words, Map.of());
        demo.line(phase);
        List<ProcessHandle> all = new ArrayList<>(demo.process.descendants().toList());
        assertThat(all).hasSizeGreaterThanOrEqualTo(3);
        all.add(demo.process.toHandle());
        DemoKillIT.signal(-demo.process.pid(), signal);
        DemoKillIT.await("all processes end", () -> all.stream().noneMatch(ProcessHandle::isAlive));
        DemoKillIT.await("the folder is removed", () -> DemoKillIT.isEmpty(temp));
    }
}
