// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(30)
class RelayControlTest {
    @TempDir
    Path folder;

    private Relay relay;
    private RelayControl control;
    private final AtomicBoolean quit = new AtomicBoolean();

    @BeforeEach
    void start() throws IOException {
        relay = Relay.start(Address.parse("unix:" + folder.resolve("a")), Address.parse("unix:" + folder.resolve("b")));
        control = new RelayControl(relay, () -> quit.set(true));
    }

    @AfterEach
    void stop() {
        relay.close();
    }

    @Test
    void faultsAreSetAndCleared() {
        assertThat(control.answer("fault half-open,forward:delay=5")).isEqualTo("fault: back:swallow,forward:delay=5");
        assertThat(relay.fault()).isEqualTo(FaultPlan.parse("back:swallow,forward:delay=5"));

        assertThat(control.answer("  clear ")).isEqualTo("fault: none");
        assertThat(relay.fault()).isEqualTo(FaultPlan.NONE);
    }

    @Test
    void theStatusIsOneLineOfNamesAndValues() {
        assertThat(control.answer("status"))
                .isEqualTo("address=unix:" + folder.resolve("a") + " target=unix:" + folder.resolve("b")
                        + " fault=none open=0 accepted=0 forward=0 back=0 swallowed-forward=0 swallowed-back=0");
    }

    @Test
    void itIsKilledAndRevived() {
        assertThat(control.answer("kill")).isEqualTo("killed");
        assertThat(folder.resolve("a")).doesNotExist();
        assertThat(control.answer("revive")).isEqualTo("listening on " + relay.address());
        assertThat(folder.resolve("a")).exists();
        assertThat(control.answer("cut")).isEqualTo("cut 0");
    }

    @Test
    void itIsToldToQuit() {
        assertThat(control.answer("quit")).isEqualTo("ending");
        assertThat(quit).isTrue();
    }

    @Test
    void theHelpNamesEveryCommandAndFault() {
        assertThat(control.answer("help"))
                .contains("fault FAULTS", "clear", "cut", "kill", "revive", "status", "quit", "cut-after=BYTES");
    }

    @ParameterizedTest
    @CsvSource({
        "frob, error: 'frob' is no command",
        "fault, error: fault needs a fault",
        "fault frob, error: 'frob' is no fault",
        "cut now, 'error: ''cut'' takes nothing, but ''now'' follows it'"
    })
    void whatIsWrongIsNamed(String line, String answer) {
        assertThat(control.answer(line)).startsWith(answer).hasLineCount(1);
    }

    @Test
    void aPlaceThatIsTakenIsSaid() throws IOException {
        control.answer("kill");
        try (Relay thief = Relay.start(relay.address(), relay.target())) {
            assertThat(control.answer("revive")).startsWith("error: cannot listen on " + thief.address());
        }
    }
}
