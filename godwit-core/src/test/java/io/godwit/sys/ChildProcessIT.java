// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ChildProcessIT {
    /** Far from all that anybody opens. */
    private static final int FAR = 217;

    private static final CFunction DUP2 = CFunction.of("dup2");

    /** What a shell's script says, and that it ended with 0. */
    private static String said(String script) throws IOException {
        Descriptor.Pipe input = Descriptor.pipe("input");
        Descriptor.Pipe output = Descriptor.pipe("output");
        try (var standardInput = input.readEnd();
                var _ = input.writeEnd();
                var reading = output.readEnd();
                ChildProcess child = start(script, standardInput, output.writeEnd())) {
            StringBuilder said = new StringBuilder();
            ByteBuffer bytes = ByteBuffer.allocateDirect(1000);
            while (reading.read(bytes.clear()) >= 0) {
                said.append(StandardCharsets.UTF_8.decode(bytes.flip()));
            }
            HandingClient.awaitBytes(child.ending());
            assertThat(child.reap()).isZero();
            return said.toString().strip();
        }
    }

    private static ChildProcess start(String script, Descriptor input, Descriptor output) throws IOException {
        try (output) {
            return ChildProcess.start(List.of("sh", "-c", script), input, output);
        }
    }

    /** As most of what a process opens is, unless it takes care; this one also as a stranger's library would. */
    @Test
    void nothingOfOursIsOpenInIt() throws Throwable {
        Descriptor.Pipe pipe = Descriptor.pipe("a stranger's");
        try (var reading = pipe.readEnd()) {
            assertThat(DUP2.call(pipe.writeEnd().number(), FAR, 0)).isEqualTo(FAR);
            assertThat(InheritedDescriptors.isInherited(FAR)).isTrue();
            pipe.writeEnd().close();
            try {
                String there =
                        said("[ -e /proc/$$/fd/1 ] && echo own; [ -e /proc/$$/fd/" + FAR + " ] && echo ours; true");
                assertThat(there).isEqualTo("own");
            } finally {
                Libc.close("cannot close", FAR);
            }
            HandingClient.awaitEnd(reading);
        }
    }

    @Test
    void itHasAProcessGroupOfItsOwn() throws IOException {
        assertThat(said("set -- $(cat /proc/$$/stat); echo $(( $5 == $$ ))")).isEqualTo("1");
    }

    @Test
    void aProgramThatIsNotThereIsAnErrorAtOnce() throws IOException {
        Descriptor.Pipe pipe = Descriptor.pipe("pipe");
        try (var in = pipe.readEnd();
                var out = pipe.writeEnd()) {
            assertThatThrownBy(() -> ChildProcess.start(List.of("/no/such/program"), in, out))
                    .isInstanceOf(SystemCallException.class)
                    .hasMessageContaining("/no/such/program");
        }
    }
}
