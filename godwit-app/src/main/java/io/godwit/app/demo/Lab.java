// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Child;
import io.godwit.app.lab.End;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What the scenario plays with: two processes, and two relays between them.
 *
 * <pre>
 *   source ─ unix:src.sock ─ relay (a) ─ tcp ─ relay (b) ─ unix:dst.sock ─ destination
 * </pre>
 *
 * <p>The children make the folder of all sockets. However this process ends, they notice, and remove it.
 */
final class Lab extends DemoGround {
    private static final Duration END = Duration.ofMillis(2_500);

    private List<Child> both = List.of();

    Lab(Settings settings, Board board) {
        super(settings, board);
    }

    /** Starts everything and connects to both. */
    void start() throws LabFailed, IOException {
        requireShortPath("dst.sock");
        Child first = child(Side.SOURCE, "src.qmp", guest());
        Child second = child(Side.DESTINATION, "dst.qmp", List.of("--incoming", "defer"));
        both = List.of(first, second);
        first.awaitReady(settings.patienceForAll());
        second.awaitReady(settings.patienceForAll());
        startRelays();
        begin(
                keep(new End(Side.SOURCE, board, socket("src.qmp"), folder, settings.patienceForAll())),
                keep(new End(Side.DESTINATION, board, socket("dst.qmp"), folder, settings.patienceForAll())));
        board.add(new Happening.Outcome("source is process %d, destination %d, relay (b) listens on %s"
                .formatted(first.pid(), second.pid(), relayB().address())));
    }

    private List<String> guest() {
        return churn(
                settings.writers(),
                settings.rate(),
                Settings.READERS,
                settings.readRate(),
                settings.hotPercent(),
                settings.coldPercent(),
                settings.seed());
    }

    private Child child(Side side, String qmp, List<String> more) throws IOException {
        List<String> words = new ArrayList<>(List.of("--size", "" + settings.size()));
        words.addAll(more);
        return endpoint(side.toString(), List.of(), qmp, words);
    }

    /** Ends both processes by QMP; each must end with exit code 0. */
    void quit() throws LabFailed, IOException {
        quit(both, END);
    }

    /** The children have removed it if they ended by themselves. */
    @Override
    protected void removeFolder() {
        try {
            for (String name : List.of("src.qmp", "dst.qmp", "src.sock", "dst.sock")) {
                Files.deleteIfExists(folder.resolve(name));
            }
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw new IllegalStateException("the folder " + folder + " could not be removed", e);
        }
    }
}
