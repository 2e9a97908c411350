// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.relay;

import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.net.RelayStats;
import java.io.IOException;

/** The commands that a running relay takes, one a line, and their answers. */
final class RelayControl {
    static final String HELP = """
            fault FAULTS   misbehave so from now on (fault none, or clear: behave)
            clear          behave
            cut            break all connections now
            kill           stop to listen and break all connections
            revive         listen again
            status         what is listened on, the target, the faults, the counters
            quit           end the relay
            help           this text

            Faults:
            """ + FaultPlan.HELP;

    private final Relay relay;
    private final Runnable quit;

    RelayControl(Relay relay, Runnable quit) {
        this.relay = relay;
        this.quit = quit;
    }

    /** Does what the line says; returns one or more lines, the first of which begins with "error:" if it could not. */
    String answer(String line) {
        String[] words = line.strip().split("\\s+", 2);
        String rest = words.length > 1 ? words[1] : "";
        if (!words[0].equals("fault") && !rest.isEmpty()) {
            return "error: '" + words[0] + "' takes nothing, but '" + rest + "' follows it";
        }
        try {
            return obey(words[0], rest);
        } catch (IOException | IllegalArgumentException failed) {
            return "error: " + failed.getMessage();
        }
    }

    private String obey(String command, String rest) throws IOException {
        return switch (command) {
            case "fault" ->
                rest.isEmpty()
                        ? "error: fault needs a fault, as in 'fault cut-after=64K'; 'clear' ends all of them"
                        : fault(FaultPlan.parse(rest));
            case "clear" -> fault(FaultPlan.NONE);
            case "cut" -> {
                int connections = relay.stats().open();
                relay.cut();
                yield "cut " + connections;
            }
            case "kill" -> {
                relay.kill();
                yield "killed";
            }
            case "revive" -> {
                relay.revive();
                yield "listening on " + relay.address();
            }
            case "quit" -> {
                quit.run();
                yield "ending";
            }
            case "status" -> status();
            case "help" -> HELP;
            default ->
                "error: '" + command + "' is no command, use fault, clear, cut, kill, revive, status, quit or help";
        };
    }

    private String fault(FaultPlan plan) throws IOException {
        relay.setFault(plan);
        return "fault: " + relay.fault();
    }

    private String status() {
        RelayStats stats = relay.stats();
        return "address=%s target=%s fault=%s open=%d accepted=%d forward=%d back=%d swallowed-forward=%d swallowed-back=%d"
                .formatted(
                        relay.address(),
                        relay.target(),
                        relay.fault(),
                        stats.open(),
                        stats.accepted(),
                        stats.forwardBytes(),
                        stats.backBytes(),
                        stats.forwardSwallowed(),
                        stats.backSwallowed());
    }
}
