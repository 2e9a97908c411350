// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Child;
import io.godwit.app.lab.End;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.Side;
import io.godwit.net.Address;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Two processes, the network between them, and a folder for their sockets. {@link #close} may be called from any thread, the rest is for one.
 *
 * <pre>
 *   source ─ unix:src.sock ─ relay (a) ─ tcp ─ relay (b) ─ unix:dst.sock ─ destination
 *   source ─ tcp ─ veth ═ veth ─ tcp ─ destination
 * </pre>
 */
final class Field extends TortureGround {
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration ANSWER = Duration.ofSeconds(20);
    private static final Duration END = Duration.ofSeconds(10);
    private static final int WRITERS = 2;
    private static final int READERS = 2;
    private static final int RATE = 4_000;
    private static final int HOT_PERCENT = 5;
    private static final int COLD_PERCENT = 85;

    private final Map<Side, End> ends = new EnumMap<>(Side.class);
    private final Map<Side, List<String>> words = new EnumMap<>(Side.class);
    private final Map<Side, Child> children = new EnumMap<>(Side.class);
    private final Map<Side, Integer> numbers = new EnumMap<>(Side.class);
    private final long size;

    Field(Board board, long size, boolean netns) {
        super(board, netns);
        this.size = size;
    }

    /**
     * Starts everything and connects to both.
     *
     * @param readRate cold pages per second that the guest reads
     * @param stored whether the destination is a VM's folder, not a guest
     */
    void start(long seed, long readRate, boolean stored) throws LabFailed, IOException {
        makeFolder("destination99.qmp");
        makeNetwork(true);
        List<String> guest = new ArrayList<>(churn(WRITERS, RATE, READERS, readRate, HOT_PERCENT, COLD_PERCENT, seed));
        guest.addAll(memory());
        launch(Side.SOURCE, guest);
        launch(Side.DESTINATION, stored ? store() : incoming());
        connect(Side.SOURCE);
        connect(Side.DESTINATION);
    }

    private List<String> memory() {
        return List.of("--size", Long.toString(size));
    }

    private List<String> incoming() {
        return List.of("--size", Long.toString(size), "--incoming", "defer");
    }

    private List<String> store() {
        return List.of("--store", folder.resolve("vm").toString());
    }

    private void launch(Side side, List<String> more) throws IOException {
        words.put(side, more);
        children.put(side, endpoint(side.toString(), network().launcher(side), qmp(side), more));
    }

    private void connect(Side side) throws LabFailed, IOException {
        child(side).awaitReady(START);
        boolean embedded = !words.getOrDefault(side, List.of()).contains("--store");
        End.Kind kind = embedded ? End.Kind.EMBEDDED : End.Kind.STORE;
        List<Address> qmp = List.of(socket(qmp(side)), socket(qmp(side)));
        End end = keep(new End(side, kind, board, qmp, folder, ANSWER));
        ends.put(side, end);
        // A store's process that is started again is in a state already, and tells of no change.
        String status = end.query("query-migrate").string("status", "none");
        if (!status.equals("none") && board.mark(side) == 0) {
            board.add(new Happening.Status(side, status, "so it was when it was started"));
        }
    }

    /** The migration into the store is completed: another process brings the guest out of it, to a new destination. */
    void turnRound() throws LabFailed, IOException {
        quit();
        for (Side side : Side.values()) {
            end(side).close();
            board.forget(side);
        }
        Files.deleteIfExists(folder.resolve("dst.sock"));
        for (Side side : Side.values()) {
            numbers.merge(side, 1, Integer::sum);
        }
        launch(Side.SOURCE, store());
        launch(Side.DESTINATION, incoming());
        connect(Side.SOURCE);
        connect(Side.DESTINATION);
    }

    private String qmp(Side side) {
        return side.toString() + numbers.getOrDefault(side, 0) + ".qmp";
    }

    /** Ends a process by force, and starts another in its place: one that waits for a guest, or goes on with a store where that one was. */
    void replace(Side side) throws LabFailed, IOException {
        kill(side);
        if (side == Side.DESTINATION) {
            Files.deleteIfExists(folder.resolve("dst.sock"));
        }
        numbers.merge(side, 1, Integer::sum);
        board.forget(side);
        launch(side, there(words.get(side)));
        connect(side);
        board.add(new Happening.Outcome(
                "a new " + side + " is process " + child(side).pid()));
    }

    /** Ends a process by force, if it has not ended. */
    void kill(Side side) {
        crew.retire(child(side));
        child(side).kill();
        end(side).close();
    }

    boolean isAlive(Side side) {
        return child(side).isAlive();
    }

    /** Stops a process for so long. */
    void freeze(Side side, Duration time) throws LabFailed, IOException {
        try (Frozen _ = Frozen.stop(child(side).pid())) {
            board.pass(time);
        }
    }

    End end(Side side) {
        return there(ends.get(side));
    }

    private Child child(Side side) {
        return there(children.get(side));
    }

    /** Ends both by QMP; each must end with exit code 0. */
    void quit() throws LabFailed {
        for (Side side : Side.values()) {
            crew.retire(child(side));
            end(side).order("quit");
        }
        for (Side side : Side.values()) {
            int code = child(side)
                    .exit()
                    .completeOnTimeout(-1, END.toSeconds(), TimeUnit.SECONDS)
                    .join();
            if (code != 0) {
                throw new LabFailed("the " + side + "'s process did not end by quit: exit code " + code);
            }
        }
    }
}
