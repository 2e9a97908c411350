// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import io.godwit.app.term.EndpointOptions;
import io.godwit.app.term.ExitCodes;
import io.godwit.app.term.StatusLines;
import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.json.JsonObject;
import io.godwit.peer.PeerException;
import io.godwit.peer.QemuPeer;
import io.godwit.store.StoreException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/** What both commands do around a {@link Journey}: connect to the peer, tell how it ended, and turn what cannot be done into a sentence and an exit code. */
final class Trip {
    private Trip() {}

    /** Makes the journey, or says at once how it ends. */
    interface Plan {
        Outcome go(@Nullable QemuPeer peer, StatusLines lines) throws IOException, CommandRefused, PeerException;
    }

    static int make(CommandSpec spec, EndpointOptions options, PeerOptions peers, Plan plan) {
        try (StatusLines lines = new StatusLines(spec.commandLine().getOut(), options.json())) {
            Outcome outcome = outcome(options, peers, lines, plan);
            if (options.json() || outcome.code() == 0) {
                lines.say(
                        "outcome",
                        JsonObject.builder()
                                .put("outcome", outcome.word())
                                .put("text", outcome.sentence())
                                .build(),
                        outcome.sentence());
            }
            if (outcome.code() != 0) {
                spec.commandLine().getErr().println("godwit: " + outcome.sentence());
            }
            return outcome.code();
        }
    }

    private static Outcome outcome(EndpointOptions options, PeerOptions peers, StatusLines lines, Plan plan) {
        QemuPeer peer = null;
        try {
            peer = peers.connect(options);
            return plan.go(peer, lines);
        } catch (StoreException e) {
            return switch (e.kind()) {
                case CORRUPT, REFUSED, MISSING -> Outcome.failed(String.valueOf(e.getMessage()));
                case FULL, UNUSABLE, BROKEN, SYNC_FAILED, LOCKED -> unavailable(e);
            };
        } catch (PeerException e) {
            return switch (e.kind()) {
                case REFUSED -> Outcome.failed(String.valueOf(e.getMessage()));
                case NOT_UNDERSTOOD, NO_ANSWER, LOST, NOBODY, UNREACHABLE -> unavailable(e);
            };
        } catch (IOException | CommandRefused e) {
            return unavailable(e);
        } finally {
            if (peer != null) {
                peer.close();
            }
        }
    }

    private static Outcome unavailable(Exception e) {
        return new Outcome(ExitCodes.UNAVAILABLE, "failed", String.valueOf(e.getMessage()));
    }
}
