// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Child;
import io.godwit.app.lab.End;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.RelayedGround;
import io.godwit.app.lab.Sampler;
import io.godwit.json.JsonObject;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What every scenario of the demo has: two ends that are asked ten times a second how they are, and the path between them. {@link #close} may be called from any thread, the rest is for one. */
abstract class DemoGround extends RelayedGround implements Ground {
    final Settings settings;
    private @Nullable End source;
    private @Nullable End destination;
    private @Nullable Sampler sampler;

    DemoGround(Settings settings, Board board) {
        super("godwit-demo-", board);
        this.settings = settings;
    }

    /** These are the ends from now on, and are asked how they are. */
    final void begin(End from, End to) throws IOException {
        source = from;
        destination = to;
        sampler = keep(new Sampler(board, List.of(from, to)));
    }

    /** Ends both ends' processes by QMP; each must end with exit code 0, within the patience. */
    final void quit(List<Child> both, Duration patience) throws LabFailed, IOException {
        there(sampler).close();
        both.forEach(crew::retire);
        List<End> ends = List.of(source(), destination());
        for (End end : ends) {
            end.order("quit");
        }
        for (Child child : both) {
            int code = child.exit()
                    .completeOnTimeout(-1, patience.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
            if (code != 0) {
                throw new LabFailed("the " + child.name() + "'s process " + child.pid()
                        + " did not end by quit: exit code " + code);
            }
        }
        ends.forEach(End::close);
    }

    @Override
    public final End source() {
        return there(source);
    }

    @Override
    public final End destination() {
        return there(destination);
    }

    @Override
    public final void orderBoth(String command, JsonObject arguments) throws LabFailed {
        board.add(new Happening.Order(null, End.words(command, arguments, folder)));
        source().ask(command, arguments);
        destination().ask(command, arguments);
    }
}
