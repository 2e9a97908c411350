// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.RelayedGround;
import io.godwit.app.lab.Side;
import io.godwit.app.torture.Plan.Strike;
import io.godwit.app.torture.Result.Hit;
import io.godwit.app.torture.Result.Verdict;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** One round: the blows of its plan, one after the other, then a healed network and an operator who tries until all is done, then the proof. For one thread. */
final class Round {
    /** In which a pause that must come, by a deadline of 1 s at the latest, has come on a busy machine. */
    private static final Duration PAUSES = Duration.ofSeconds(5);

    /** In which a cut at a byte comes by itself; then it is made. */
    private static final Duration BYTES_COME = Duration.ofMillis(400);

    private static final Duration SETTLES = Duration.ofMillis(20);

    private final Plan plan;
    private final Board board;
    private final Field field;
    private final Operator operator;
    private final List<Hit> hits = new ArrayList<>();

    Round(Plan plan, Board board, Field field, Operator operator) {
        this.plan = plan;
        this.board = board;
        this.field = field;
        this.operator = operator;
    }

    List<Hit> hits() {
        return hits;
    }

    /** Plays it; the processes are there. */
    Verdict play() throws LabFailed, IOException, RoundFailed {
        if (!strikes(plan.strikes())) {
            return Verdict.GONE;
        }
        finish();
        if (plan.mode() == Plan.Mode.STORED) {
            board.add(new Happening.Step("Out of the store"));
            operator.turnRound();
            strikes(plan.onward());
            finish();
        }
        prove();
        return Verdict.COMPLETED;
    }

    /** One blow after the other, until the migration is completed; false if one was to end the guest. */
    private boolean strikes(List<Strike> strikes) throws LabFailed, IOException, RoundFailed {
        for (Strike strike : strikes) {
            if (!bring(strike.moment())) {
                break;
            }
            board.pass(Duration.ofMillis(strike.afterMillis()));
            if (strike.blow() instanceof Blow.Kill(Side side)
                    && side == Side.SOURCE
                    && plan.mode() == Plan.Mode.PRECOPY) {
                if (in("active")) {
                    killSource(strike.blow());
                    return false;
                }
                break;
            }
            strike(strike.blow());
            operator.recovered();
            operator.watch();
        }
        return true;
    }

    /** Gets the migration to that moment; false if it was completed before. */
    private boolean bring(Moment moment) throws LabFailed, IOException, RoundFailed {
        return switch (moment) {
            case SETUP -> {
                operator.startUp();
                yield !operator.completed();
            }
            case ACTIVE -> operator.drive("the source is in active", () -> in("active"));
            case SWITCH -> toSwitch();
            case POSTCOPY -> operator.drive("both ends are in postcopy-active", operator::bothActive);
            case PAUSED -> toPaused();
            case RECOVER -> {
                boolean paused = toPaused();
                if (paused) {
                    // Its handshake is over in a millisecond otherwise.
                    field.network().drag();
                    operator.resume();
                }
                yield paused;
            }
        };
    }

    private boolean in(String status) {
        return operator.source().equals(status) && operator.destination().equals(status);
    }

    private boolean toSwitch() throws LabFailed, IOException, RoundFailed {
        if (!operator.drive("the source is in active", () -> in("active") || isPostcopy())) {
            return false;
        }
        while (in("active") && !operator.sentEnough()) {
            operator.requireTime("a part of the memory is sent");
            board.pass(SETTLES);
        }
        if (in("active")) {
            operator.switchOver();
        }
        return !operator.completed();
    }

    private boolean isPostcopy() {
        return operator.source().startsWith("postcopy");
    }

    private boolean toPaused() throws LabFailed, IOException, RoundFailed {
        if (operator.bothPaused()) {
            return true;
        }
        if (!operator.drive("both ends are in postcopy", () -> operator.bothActive() || operator.bothPaused())) {
            return false;
        }
        if (operator.bothActive()) {
            field.network().cut();
        }
        board.awaitQuietly(PAUSES, operator::bothPaused);
        return operator.bothPaused();
    }

    private void strike(Blow blow) throws LabFailed, IOException, RoundFailed {
        String state = operator.source();
        boolean mayPause = state.equals(Operator.ACTIVE);
        boolean bothActive = operator.bothActive();
        int sourceMark = board.mark(Side.SOURCE);
        int destinationMark = board.mark(Side.DESTINATION);
        long began = board.now();
        board.add(new Happening.Step(
                blow.words() + " (source: " + state + ", destination: " + operator.destination() + ")"));
        long cuts = field.cuts();
        Effect effect = deal(blow, began);
        boolean breaks = effect == Effect.BREAKS;
        if (blow instanceof Blow.CutAt && field.cuts() > cuts) {
            began = field.lastCut();
        }
        double first = -1;
        double both = -1;
        if (mayPause && breaks && awaitPauses(sourceMark, destinationMark)) {
            long source = board.time(Side.SOURCE, sourceMark, Operator.PAUSED);
            long destination = board.time(Side.DESTINATION, destinationMark, Operator.PAUSED);
            first = (Math.min(source, destination) - began) / 1e6;
            both = (Math.max(source, destination) - began) / 1e6;
        } else if (bothActive
                && breaks
                && (goesOn(Side.SOURCE, sourceMark) || goesOn(Side.DESTINATION, destinationMark))) {
            throw new RoundFailed(
                    Verdict.STUCK,
                    "the channel was lost (" + blow.words() + "), and an end has not noticed; " + operator.states());
        } else if (breaks && isPostcopy()) {
            board.awaitQuietly(PAUSES, () -> atRest(operator.source()) && atRest(operator.destination()));
        }
        if (effect != Effect.REFUSED) {
            hits.add(new Hit(blow.kind(), state, first, both));
        }
        if (blow instanceof Blow.Silence || blow instanceof Blow.Pause) {
            field.network().heal();
        } else {
            field.network().clear();
        }
    }

    /** As if nothing had happened. */
    private boolean goesOn(Side side, int mark) {
        return board.status(side).equals(Operator.ACTIVE) && !board.seen(side, mark, Operator.PAUSED);
    }

    private static boolean atRest(String status) {
        return Set.of(Operator.PAUSED, "completed", "failed", "uncertain").contains(status);
    }

    private boolean awaitPauses(int sourceMark, int destinationMark) throws LabFailed {
        return board.awaitQuietly(
                        PAUSES,
                        () -> (board.seen(Side.SOURCE, sourceMark, Operator.PAUSED)
                                        && board.seen(Side.DESTINATION, destinationMark, Operator.PAUSED))
                                || operator.completed())
                && !operator.completed();
    }

    /** What a blow does to the channel. */
    private enum Effect {
        /** It is lost. */
        BREAKS,
        /** It may be lost, or not. */
        MAY_BREAK,
        /** Nothing was done: the end has moved on meanwhile and says so. */
        REFUSED
    }

    /** Does it. */
    private Effect deal(Blow blow, long began) throws LabFailed, IOException {
        return switch (blow) {
            case Blow.Cut _ -> {
                field.network().cut();
                yield Effect.BREAKS;
            }
            case Blow.CutAt(var direction, long bytes) -> {
                cutAt(direction + ":cut-after=" + bytes);
                yield Effect.BREAKS;
            }
            case Blow.Silence(var direction) -> {
                field.network().silence(direction);
                if (!isPostcopy()) {
                    // Precopy has no deadline of its own: the silence lasts, then the path breaks, or TCP goes on.
                    board.pass(Duration.ofMillis(Operator.LIVENESS_MILLIS));
                    yield field.network().heal() ? Effect.BREAKS : Effect.MAY_BREAK;
                }
                yield Effect.BREAKS;
            }
            case Blow.Slow(int delay, int millis) -> {
                field.fault("both:delay=" + delay);
                board.pass(Duration.ofMillis(millis));
                yield Effect.MAY_BREAK;
            }
            case Blow.Refuse(int millis) -> {
                field.fault("refuse");
                field.network().cut();
                refused(began + millis * 1_000_000L);
                yield Effect.BREAKS;
            }
            case Blow.Pause(Side side) ->
                operator.order(side, "migrate-pause", Json.object()) ? Effect.BREAKS : Effect.REFUSED;
            case Blow.Cancel _ ->
                operator.order(Side.SOURCE, "migrate_cancel", Json.object()) ? Effect.MAY_BREAK : Effect.REFUSED;
            case Blow.Freeze(Side side, int millis) -> {
                field.freeze(side, Duration.ofMillis(millis));
                yield Effect.MAY_BREAK;
            }
            case Blow.Kill(Side side) -> {
                kill(side);
                yield Effect.MAY_BREAK;
            }
            case Blow.OnPackets packets -> deal(packets, began);
        };
    }

    private Effect deal(Blow.OnPackets blow, long began) throws LabFailed, IOException {
        PacketNetwork network = field.packets();
        return switch (blow) {
            case Blow.Reset(Side side) -> network.reset(side) ? Effect.BREAKS : Effect.MAY_BREAK;
            case Blow.Lossy(var direction, int percent, int millis) -> {
                network.lose(direction, percent);
                board.pass(Duration.ofMillis(millis));
                yield Effect.MAY_BREAK;
            }
            case Blow.Narrow(int kilobits, int millis) -> {
                network.narrow(kilobits);
                board.pass(Duration.ofMillis(millis));
                yield Effect.MAY_BREAK;
            }
            case Blow.Down(Side side, int millis) -> {
                network.down(side);
                if (isPostcopy() && millis > Operator.LIVENESS_MILLIS) {
                    refused(began + millis * 1_000_000L);
                    yield Effect.BREAKS;
                }
                board.pass(Duration.ofMillis(millis));
                yield Effect.MAY_BREAK;
            }
            case Blow.KillUnseen(Side side, int millis) -> {
                network.down(side);
                kill(side);
                board.pass(Duration.ofMillis(millis));
                yield Effect.MAY_BREAK;
            }
        };
    }

    private void kill(Side side) throws LabFailed, IOException {
        if (plan.mode() == Plan.Mode.STORED) {
            operator.restart(side);
        } else {
            field.kill(side);
        }
    }

    private void cutAt(String plan) throws LabFailed, IOException {
        long before = field.cuts();
        field.fault(plan);
        if (!board.awaitQuietly(BYTES_COME, () -> field.cuts() > before)) {
            field.network().cut();
        }
    }

    /** A recovery is tried while nobody listens, or there is no way. */
    private void refused(long until) throws LabFailed {
        if (isPostcopy() && board.awaitQuietly(PAUSES, operator::bothPaused)) {
            operator.resume();
            board.awaitQuietly(PAUSES, operator::bothPaused);
            operator.recovered();
        }
        board.pass(Duration.ofNanos(Math.max(0, until - board.now())));
    }

    /** The guest is gone with its process; the destination has only parts of it, and must never run those. */
    private void killSource(Blow blow) throws LabFailed, RoundFailed {
        hits.add(new Hit(blow.kind(), operator.source(), -1, -1));
        field.kill(Side.SOURCE);
        if (!board.awaitQuietly(PAUSES, () -> operator.destination().equals("failed"))) {
            throw new RoundFailed(
                    Verdict.STUCK, "the destination does not notice that its source is dead; " + operator.states());
        }
        if (field.end(Side.DESTINATION).query("query-status").bool("running", false) || board.runs(Side.DESTINATION)) {
            throw new RoundFailed(
                    Verdict.LOST, "the destination runs a part of a guest whose source was killed in precopy");
        }
    }

    private void finish() throws LabFailed, IOException, RoundFailed {
        board.add(new Happening.Step("The network heals"));
        field.network().heal();
        if (plan.postcopy()) {
            operator.drive("both ends are in postcopy-active", operator::bothActive);
        } else {
            operator.drive("the source is in active", () -> in("active"));
        }
        String parameter = plan.postcopy() ? "max-postcopy-bandwidth" : "max-bandwidth";
        operator.order(Side.SOURCE, "migrate-set-parameters", RelayedGround.with(parameter, Json.of(0)));
        operator.drive("the migration is completed", operator::completed);
        operator.watch();
    }

    private void prove() throws LabFailed, RoundFailed {
        board.add(new Happening.Step("The memory"));
        if (!field.end(Side.DESTINATION).query("query-status").bool("running", false)) {
            throw new RoundFailed(Verdict.LOST, "the guest runs nowhere: " + operator.states());
        }
        String why = field.end(Side.SOURCE).refused("cont");
        board.add(new Happening.Outcome("the source refuses to run the guest again: " + why));
        field.end(Side.DESTINATION).order("stop");
        board.await("the guest stops", PAUSES, () -> !board.runs(Side.DESTINATION));
        JsonObject stats = field.end(Side.DESTINATION).query("x-godwit-guest-stats");
        Proof.judge(field.end(Side.DESTINATION).query("x-godwit-guest-verify"), stats);
        field.quit();
    }
}
