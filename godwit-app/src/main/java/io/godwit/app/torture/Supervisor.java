// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.RelayedGround;
import io.godwit.app.lab.Side;
import io.godwit.app.torture.Result.Verdict;
import io.godwit.json.Json;
import io.godwit.store.OsDisk;
import io.godwit.store.StoreException;
import io.godwit.store.StoreState;
import io.godwit.store.VmStore;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Who gives {@code park} or {@code unpark} again until the machine is where it shall be: by the exit code and by what the folder says, as a supervisor of services would. All else, recoveries
 * above all, the commands do themselves. For one thread.
 */
final class Supervisor {
    private static final Duration TICK = Duration.ofMillis(50);
    private static final Duration SETTLES = Duration.ofSeconds(10);

    /** What {@code kill -9} leaves. */
    private static final int KILLED = 137;

    private static final int UNPROVEN = 3;
    private static final int FAILED = 1;

    /** Those after which the same command may go on. */
    private static final Set<Integer> EXPECTED = Set.of(0, FAILED, UNPROVEN, 69, 75, KILLED);

    private final ParkField field;
    private final Board board;
    private final long untilNanos;
    private final List<Double> restarts = new ArrayList<>();
    private Side side = Side.DESTINATION;
    private boolean over;
    private boolean startedOnce;
    private boolean tookBack;
    private long killedAt = -1;

    /** @param untilNanos when the round's time is over, as {@link Board#now} */
    Supervisor(ParkField field, Board board, long untilNanos) {
        this.field = field;
        this.board = board;
        this.untilNanos = untilNanos;
    }

    /** Whether a QEMU gave its guest up, and the folder's was brought once more. */
    boolean tookBack() {
        return tookBack;
    }

    /** In ms, from each kill to both ends going on. */
    List<Double> restarts() {
        return restarts;
    }

    /** The end that the command is. */
    Side side() {
        return side;
    }

    /** A way begins: this command, at that end. */
    void begin(Side end, List<String> words) throws LabFailed, IOException {
        side = end;
        over = false;
        startedOnce = false;
        killedAt = -1;
        field.command(end, words);
    }

    String source() {
        return board.status(Side.SOURCE);
    }

    String destination() {
        return board.status(Side.DESTINATION);
    }

    boolean bothIn(String status) {
        return field.commandLives() && source().equals(status) && destination().equals(status);
    }

    boolean over() {
        return over;
    }

    /** Both ends' states, for a message. */
    String states() {
        return "the source is in " + source() + " (" + board.reason(Side.SOURCE) + "), the destination in "
                + destination() + " (" + board.reason(Side.DESTINATION) + "), the folder says " + word();
    }

    private String word() {
        if (field.commandLives()) {
            return "nothing, since a process has it";
        }
        StoreState state = state();
        return state == null ? "nothing" : state.word();
    }

    /** Keeps the command going until the condition is met, or the way is over; returns whether it is met. */
    boolean drive(String what, BooleanSupplier met) throws LabFailed, IOException, RoundFailed {
        while (true) {
            tend();
            if (over) {
                return false;
            }
            if (met.getAsBoolean()) {
                return true;
            }
            requireTime(what);
            board.awaitQuietly(TICK, met);
        }
    }

    void requireTime(String what) throws RoundFailed {
        if (board.now() > untilNanos) {
            throw new RoundFailed(
                    Verdict.STUCK,
                    "stuck: it was awaited that " + what + ", and that did not come in the round's time; " + states());
        }
    }

    /** {@code kill -9}. */
    void kill() {
        field.killCommand();
        killedAt = board.now();
    }

    private void tend() throws LabFailed, IOException, RoundFailed {
        if (startedOnce && !field.commandLives()) {
            over = isOver(field.commandCode());
        }
        if (!over && !field.commandLives()) {
            startedOnce = true;
            field.startCommand();
        }
        field.sample();
        if (killedAt >= 0 && (over || bothIn("active") || bothIn(Operator.ACTIVE))) {
            restarts.add((board.now() - killedAt) / 1e6);
            killedAt = -1;
        }
    }

    private boolean isOver(int code) throws LabFailed, IOException, RoundFailed {
        StoreState state = state();
        String how = field.commandWord() + "; the folder says " + (state == null ? "nothing" : state.word());
        board.add(new Happening.Outcome(how));
        if (!EXPECTED.contains(code)) {
            throw new RoundFailed(Verdict.BROKEN, how);
        }
        return side == Side.DESTINATION ? parked(state, code, how) : left(state, code, how);
    }

    private boolean parked(@Nullable StoreState state, int code, String how)
            throws LabFailed, IOException, RoundFailed {
        return switch (state) {
            case StoreState.Parked _ -> true;
            case StoreState.ParkedUnconfirmed _ -> confirmed();
            case StoreState.ReceivingPostcopy _ -> {
                if (code == FAILED) {
                    throw new RoundFailed(Verdict.LOST, how);
                }
                yield false;
            }
            case null -> stillThere(how);
            case StoreState.Receiving _, StoreState.Gone _ -> stillThere(how);
            case StoreState.Leaving _ -> throw new RoundFailed(Verdict.BROKEN, how);
        };
    }

    /** Nothing has come, so the machine has to run where it was; a Godwit that cannot know that is told. */
    private boolean stillThere(String how) throws LabFailed, IOException, RoundFailed {
        long until = board.now() + SETTLES.toNanos();
        while (!runs()) {
            if (field.machine().query("query-migrate").string("status", "none").equals("uncertain")) {
                field.machine().order("x-godwit-migrate-resolve", RelayedGround.with("owner", Json.of("source")));
            }
            if (board.now() > until) {
                throw new RoundFailed(Verdict.LOST, "the guest runs nowhere: " + how + "; " + states());
            }
            board.pass(TICK);
        }
        field.renewSource();
        return false;
    }

    private boolean runs() throws LabFailed {
        return field.machine().query("query-status").bool("running", false);
    }

    /** What the command did not hear, its operator sees: whether the source has completed, or has its guest again, as a QEMU does that missed the last word. */
    private boolean confirmed() throws LabFailed, RoundFailed {
        long until = board.now() + SETTLES.toNanos();
        while (true) {
            String status = field.machine().query("query-migrate").string("status", "none");
            if (status.equals("completed")) {
                change(VmStore::confirm);
                return true;
            }
            if (runs() && Set.of("failed", "cancelled").contains(status)) {
                change(store -> store.disown("its source has it again"));
                return false;
            }
            if (board.now() > until) {
                throw new RoundFailed(Verdict.STUCK, "parked, and the source does not say 'completed'; " + states());
            }
            board.pass(TICK);
        }
    }

    private boolean left(@Nullable StoreState state, int code, String how) throws LabFailed, IOException, RoundFailed {
        return switch (state) {
            case StoreState.Gone _ -> true;
            case StoreState.Leaving _ -> {
                boolean gaveUp = gaveUp();
                if (code == FAILED && !gaveUp) {
                    throw new RoundFailed(Verdict.LOST, how);
                }
                if (gaveUp && (code == FAILED || code == UNPROVEN)) {
                    takeBack();
                    yield false;
                }
                yield code == UNPROVEN && arrived();
            }
            case StoreState.Parked _ -> {
                // The destination had a part of it, or nothing, and is good for one try.
                field.replaceDestination();
                yield false;
            }
            case null -> throw new RoundFailed(Verdict.LOST, how);
            case StoreState.ParkedUnconfirmed _, StoreState.Receiving _, StoreState.ReceivingPostcopy _ ->
                throw new RoundFailed(Verdict.BROKEN, how);
        };
    }

    /** Whether the QEMU gave its guest up before it took a connection for a recovery; any other end of a guest is a loss. */
    private boolean gaveUp() {
        List<String> path = board.path(Side.DESTINATION, 0);
        return field.mayGiveUpEarly()
                && field.machineLives()
                && path.size() >= 2
                && path.subList(path.size() - 2, path.size()).equals(List.of(Operator.PAUSED, "failed"));
    }

    /** That QEMU is ended, even if its guest may be whole, and the VM leaves once more: as it was when it left. */
    private void takeBack() throws LabFailed, IOException {
        tookBack = true;
        field.replaceDestination();
        change(VmStore::takeBack);
    }

    private boolean arrived() throws LabFailed, RoundFailed {
        long until = board.now() + SETTLES.toNanos();
        while (!field.machine().query("query-migrate").string("status", "none").equals("completed")) {
            if (board.now() > until) {
                throw new RoundFailed(
                        Verdict.STUCK, "all was sent, and the destination does not say 'completed'; " + states());
            }
            board.pass(TICK);
        }
        change(store -> store.arrived(true));
        return true;
    }

    private interface Change {
        void make(VmStore store);
    }

    /** What {@code godwit store} does; no process has the folder. */
    private void change(Change change) {
        try (VmStore store = folder()) {
            change.make(store);
        }
    }

    private @Nullable StoreState state() {
        try (VmStore store = folder()) {
            var manifest = store.manifest();
            return manifest == null ? null : manifest.state();
        } catch (StoreException e) {
            if (e.kind() == StoreException.Kind.MISSING) {
                return null;
            }
            throw e;
        }
    }

    private VmStore folder() {
        return VmStore.openExisting(new OsDisk(), field.store(), Clock.systemUTC(), "godwit");
    }
}
