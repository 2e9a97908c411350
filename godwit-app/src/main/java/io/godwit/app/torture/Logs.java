// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.RelayedGround;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** All that is known of a round, as lines: the timeline, then what each process and the relays said. */
final class Logs {
    private Logs() {}

    static List<String> of(Board board, RelayedGround ground) {
        List<String> lines = new ArrayList<>();
        for (Happening.Entry entry : board.entriesFrom(0)) {
            lines.add(String.format(Locale.ROOT, "%10.3f  %s", entry.seconds(), words(entry.happening())));
        }
        lines.addAll(ground.tails(Integer.MAX_VALUE));
        return lines;
    }

    private static String words(Happening happening) {
        return switch (happening) {
            case Happening.Step(String title) -> "== " + title;
            case Happening.Order(var side, String command) -> (side == null ? "both" : side) + " > " + command;
            case Happening.Status(var side, String status, String reason) -> side + ": " + status + " (" + reason + ")";
            case Happening.GuestRuns(var side, boolean runs) -> side + ": the guest " + (runs ? "runs" : "has stopped");
            case Happening.Notice(var side, String text) -> side + " says: " + text;
            case Happening.Network(String where, String what) -> where + " " + what;
            case Happening.Outcome(String text) -> text;
        };
    }
}
