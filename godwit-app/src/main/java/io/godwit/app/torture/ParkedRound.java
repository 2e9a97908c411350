// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.Side;
import io.godwit.app.torture.Plan.Strike;
import io.godwit.app.torture.Result.Hit;
import io.godwit.app.torture.Result.Verdict;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One round of {@code park} and {@code unpark}: the blows of its plan on the way in, a healed network until the machine is parked; the same on the way out; then the proof. Nobody but the two
 * commands tells an end what to do. For one thread.
 */
final class ParkedRound {
    /** In which a pause that must come has come: after the deadlines below, the peer's answer, and on a busy machine. */
    private static final Duration PAUSES = Duration.ofSeconds(8);

    /** In which a cut at a byte comes by itself; then it is made. */
    private static final Duration BYTES_COME = Duration.ofMillis(400);

    private static final Duration TICK = Duration.ofMillis(50);
    private static final Duration STOPS = Duration.ofSeconds(5);
    private static final Duration GOES_ON = Duration.ofSeconds(20);

    /** In which a way would be made if nothing happened on it. */
    private static final int WAY_SECONDS = 10;

    /** The deadlines set at Godwits, in milliseconds: short, so that silences fit into a round, but longer than what the slow path delays. */
    private static final long DEADLINE_MILLIS = 2_000;

    private static final int RECOVERIES = 1_000;

    private final Plan plan;
    private final Board board;
    private final ParkField field;
    private final Supervisor supervisor;
    private final long size;
    private final List<Hit> hits = new ArrayList<>();

    ParkedRound(Plan plan, Board board, ParkField field, Supervisor supervisor, long size) {
        this.plan = plan;
        this.board = board;
        this.field = field;
        this.supervisor = supervisor;
        this.size = size;
    }

    List<Hit> hits() {
        return hits;
    }

    /** Plays it; the path is there. */
    Verdict play() throws LabFailed, IOException, RoundFailed {
        field.startMachine(Side.SOURCE, plan.seed());
        board.add(new Happening.Step("Park"));
        way(Side.DESTINATION, plan.strikes(), park());
        if (field.machine().query("query-status").bool("running", false)) {
            throw new RoundFailed(Verdict.LOST, "the source runs its guest, which is parked; " + supervisor.states());
        }
        field.memory().judgeParked();
        field.quitMachine();
        field.nextMachine();
        board.add(new Happening.Step("Unpark"));
        field.startMachine(Side.DESTINATION, 0);
        way(Side.SOURCE, plan.onward(), unpark());
        prove();
        return supervisor.tookBack() ? Verdict.TAKEN_BACK : Verdict.COMPLETED;
    }

    private List<String> park() {
        List<String> words = new ArrayList<>(
                List.of("park", "--json", "--store", field.store().toString()));
        words.addAll(List.of("--incoming", field.destinationAddress().toString()));
        words.addAll(List.of("--migrate-uri", field.sourceAddress().toString()));
        words.addAll(common(plan.strikes()));
        if (!field.isQemu()) {
            words.addAll(List.of("--peer-parameter", "x-godwit-liveness-timeout=" + DEADLINE_MILLIS));
            words.addAll(List.of("--peer-parameter", "x-godwit-handshake-timeout=" + DEADLINE_MILLIS));
        }
        return words;
    }

    private List<String> unpark() {
        List<String> words =
                new ArrayList<>(List.of("unpark", "--json", field.store().toString()));
        words.addAll(List.of("--to", field.sourceAddress().toString()));
        words.addAll(List.of("--listen-uri", field.destinationAddress().toString()));
        words.addAll(common(plan.onward()));
        return words;
    }

    private List<String> common(List<Strike> strikes) {
        boolean precopy = Plan.isPrecopy(strikes);
        List<String> words = new ArrayList<>(List.of("--mode", precopy ? "precopy" : "postcopy"));
        words.addAll(List.of("--qmp", field.commandQmp().toString(), "--recoveries", "" + RECOVERIES));
        words.addAll(List.of("--set-parameter", "x-godwit-liveness-timeout=" + DEADLINE_MILLIS));
        words.addAll(List.of("--set-parameter", "x-godwit-handshake-timeout=" + DEADLINE_MILLIS));
        if (plan.preempt() && !precopy) {
            words.addAll(List.of("--set-capability", "postcopy-preempt"));
        }
        return words;
    }

    private void way(Side command, List<Strike> strikes, List<String> words)
            throws LabFailed, IOException, RoundFailed {
        List<String> line = new ArrayList<>(words);
        line.addAll(List.of("--qmp-peer", field.peer().toString()));
        field.network().pace(size / WAY_SECONDS);
        supervisor.begin(command, line);
        for (Strike strike : strikes) {
            if (!bring(strike.moment())) {
                break;
            }
            board.pass(Duration.ofMillis(strike.afterMillis()));
            if (field.commandLives()) {
                strike(strike.blow());
            }
        }
        board.add(new Happening.Step("The network heals"));
        field.network().clear();
        field.network().pace(0);
        supervisor.drive("the command says that all is done", () -> false);
    }

    /** Waits for that moment; false if the way was over before. One that is past does not come again: then the blow comes as things are. */
    private boolean bring(Moment moment) throws LabFailed, IOException, RoundFailed {
        return switch (moment) {
            case ACTIVE -> supervisor.drive("both ends are active", () -> supervisor.bothIn("active") || isPostcopy());
            case POSTCOPY -> supervisor.drive("both ends are in postcopy", () -> supervisor.bothIn(Operator.ACTIVE));
            case RECOVER -> recovering();
            case SETUP, SWITCH, PAUSED -> throw new IllegalStateException("no plan of park and unpark has " + moment);
        };
    }

    private boolean recovering() throws LabFailed, IOException, RoundFailed {
        if (!supervisor.drive(
                "both ends are in postcopy", () -> isRecovering() || supervisor.bothIn(Operator.ACTIVE))) {
            return false;
        }
        int mark = board.mark(Side.SOURCE);
        if (!isRecovering()) {
            // So that it lasts.
            field.network().drag();
            field.network().cut();
        }
        // Some are over before they are heard of.
        return supervisor.drive(
                "the source is in a recovery",
                () -> isRecovering() || board.seen(Side.SOURCE, mark, "postcopy-recover"));
    }

    private boolean isPostcopy() {
        return supervisor.source().startsWith("postcopy");
    }

    private boolean isRecovering() {
        return field.commandLives() && supervisor.source().startsWith("postcopy-recover");
    }

    private void strike(Blow blow) throws LabFailed, IOException {
        String state = supervisor.source();
        boolean mayPause = supervisor.bothIn(Operator.ACTIVE);
        int sourceMark = board.mark(Side.SOURCE);
        int destinationMark = board.mark(Side.DESTINATION);
        long began = board.now();
        long cuts = field.cuts();
        board.add(new Happening.Step(blow.words() + " (source: " + state + ", destination: " + supervisor.destination()
                + ", the command is the " + supervisor.side() + ")"));
        boolean breaks = deal(blow);
        if (blow instanceof Blow.CutAt && field.cuts() > cuts) {
            began = field.lastCut();
        }
        double first = -1;
        double both = -1;
        if (mayPause && breaks && pauses(sourceMark, destinationMark)) {
            long source = board.time(Side.SOURCE, sourceMark, Operator.PAUSED);
            long destination = board.time(Side.DESTINATION, destinationMark, Operator.PAUSED);
            first = (Math.min(source, destination) - began) / 1e6;
            both = (Math.max(source, destination) - began) / 1e6;
        }
        hits.add(new Hit(blow.kind() + heldBy(blow), state, first, both));
        if (blow instanceof Blow.Silence) {
            field.network().heal();
        } else {
            field.network().clear();
        }
    }

    /** park and unpark are the row's, where a process is meant. */
    private String heldBy(Blow blow) {
        String command = supervisor.side() == Side.DESTINATION ? "park" : "unpark";
        return switch (blow) {
            case Blow.Kill _, Blow.KillUnseen _ -> ": " + command;
            case Blow.Freeze(Side at, int _) ->
                ": " + (at == supervisor.side() ? command : field.isQemu() ? "QEMU" : "run");
            case Blow.Cut _, Blow.CutAt _, Blow.Silence _, Blow.Slow _, Blow.Refuse _, Blow.Pause _, Blow.Cancel _ ->
                "";
            case Blow.Reset _, Blow.Lossy _, Blow.Narrow _, Blow.Down _ -> "";
        };
    }

    /** Both have been paused since, or the way has ended; a path that stays silent is noticed by deadlines, and told to a QEMU by the command. */
    private boolean pauses(int sourceMark, int destinationMark) throws LabFailed {
        long until = board.now() + PAUSES.toNanos();
        while (field.commandLives() && board.now() < until) {
            field.sample();
            if (board.awaitQuietly(
                    TICK,
                    () -> board.seen(Side.SOURCE, sourceMark, Operator.PAUSED)
                            && board.seen(Side.DESTINATION, destinationMark, Operator.PAUSED))) {
                return true;
            }
        }
        return false;
    }

    /** Does it; returns whether the channel must be lost by it, and both ends live to notice. */
    private boolean deal(Blow blow) throws LabFailed, IOException {
        return switch (blow) {
            case Blow.Cut _ -> {
                field.network().cut();
                yield true;
            }
            case Blow.CutAt(var direction, long bytes) -> {
                long before = field.cuts();
                field.fault(direction + ":cut-after=" + bytes);
                if (!board.awaitQuietly(BYTES_COME, () -> field.cuts() > before)) {
                    field.network().cut();
                }
                yield true;
            }
            case Blow.Silence(var direction) -> {
                field.network().silence(direction);
                if (!supervisor.bothIn(Operator.ACTIVE)) {
                    board.pass(Duration.ofMillis(DEADLINE_MILLIS / 2));
                }
                yield true;
            }
            case Blow.Slow(int delay, int millis) -> {
                field.fault("both:delay=" + delay);
                board.pass(Duration.ofMillis(millis));
                yield false;
            }
            case Blow.Refuse(int millis) -> {
                field.fault("refuse");
                field.network().cut();
                board.pass(Duration.ofMillis(millis));
                yield true;
            }
            case Blow.Freeze(Side side, int millis) -> {
                field.freeze(side, Duration.ofMillis(millis));
                yield false;
            }
            case Blow.Kill _ -> {
                supervisor.kill();
                yield false;
            }
            case Blow.OnPackets packets -> deal(packets);
            case Blow.Pause _, Blow.Cancel _ ->
                throw new IllegalStateException("no plan of park and unpark has " + blow);
        };
    }

    private boolean deal(Blow.OnPackets blow) throws LabFailed, IOException {
        PacketNetwork network = field.packets();
        return switch (blow) {
            case Blow.Reset(Side side) -> network.reset(side);
            case Blow.Lossy(var direction, int percent, int millis) -> {
                network.lose(direction, percent);
                board.pass(Duration.ofMillis(millis));
                yield false;
            }
            case Blow.Narrow(int kilobits, int millis) -> {
                network.narrow(kilobits);
                board.pass(Duration.ofMillis(millis));
                yield false;
            }
            case Blow.Down(Side side, int millis) -> {
                network.down(side);
                boolean breaks = supervisor.bothIn(Operator.ACTIVE) && millis > DEADLINE_MILLIS;
                board.pass(Duration.ofMillis(millis));
                yield breaks;
            }
            case Blow.KillUnseen(Side side, int millis) -> {
                network.down(side);
                supervisor.kill();
                board.pass(Duration.ofMillis(millis));
                yield false;
            }
        };
    }

    private void prove() throws LabFailed, IOException, RoundFailed {
        board.add(new Happening.Step("The memory"));
        if (!field.machine().query("query-status").bool("running", false)) {
            throw new RoundFailed(Verdict.LOST, "the guest runs nowhere: " + supervisor.states());
        }
        goesOn();
        field.machine().order("stop");
        board.await("the guest stops", STOPS, () -> !board.runs(Side.DESTINATION));
        field.memory().judge();
        field.quitMachine();
    }

    private void goesOn() throws LabFailed, IOException, RoundFailed {
        long last = field.memory().progress();
        long until = board.now() + GOES_ON.toNanos();
        while (field.memory().progress() == last) {
            if (board.now() > until) {
                throw new RoundFailed(Verdict.LOST, "the guest does not go on: nothing is written any more");
            }
            board.pass(TICK);
        }
    }
}
