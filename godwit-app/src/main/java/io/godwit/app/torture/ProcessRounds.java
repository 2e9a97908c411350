// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.RelayedGround;
import io.godwit.app.torture.Operator.Pace;
import io.godwit.app.torture.Result.Verdict;
import io.godwit.app.vm.Emulator;
import io.godwit.page.Pages;
import io.godwit.store.StoreException;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Rounds with real processes. {@link #close} may be called from any thread: it ends what the round that is being played has started. */
final class ProcessRounds implements Torture.Player, AutoCloseable {
    private static final long PRECOPY_SECONDS = 2;
    private static final double SECONDS_PER_RECOVERY = 1.2;
    private static final double LEAST_POSTCOPY_SECONDS = 30;

    private final long size;
    private final int recoveries;
    private final double deadlineSeconds;
    private final @Nullable Emulator emulator;
    private final boolean netns;
    private @Nullable RelayedGround playing;
    private boolean closed;

    /**
     * Rounds of one kind.
     *
     * @param size of the guest in bytes
     * @param recoveries in each round; 0: a few, as the seed says
     * @param deadlineSeconds of a round, from the moment at which its processes are there
     * @param emulator whose machines are parked and unparked; null: the guest is a Godwit's own, and moves in every way
     * @param netns whether the ends are in network namespaces of their own
     */
    ProcessRounds(long size, int recoveries, double deadlineSeconds, @Nullable Emulator emulator, boolean netns) {
        this.size = size;
        this.recoveries = recoveries;
        this.deadlineSeconds = deadlineSeconds;
        this.emulator = emulator;
        this.netns = netns;
    }

    @Override
    public String options() {
        return (emulator == null ? "" : " --guest qemu=" + emulator.series()) + (netns ? " --netns" : "");
    }

    @Override
    public Result play(long seed) {
        Plan.Means means = netns ? Plan.Means.PACKETS : Plan.Means.RELAYS;
        Plan plan;
        if (emulator == null) {
            plan = Plan.draw(seed, recoveries, means);
        } else {
            plan = Plan.parked(seed, Plan.Host.of(emulator), means);
        }
        Board board = new Board(System::nanoTime, Set.of());
        if (plan.mode() == Plan.Mode.PARKED) {
            ParkField field = new ParkField(board, size, emulator, netns);
            return on(field, plan, () -> parked(plan, board, field));
        }
        Field field = new Field(board, size, netns);
        return on(field, plan, () -> play(plan, board, field));
    }

    /** Plays on that ground, which is closed in the end, or by {@link #close}. */
    private Result on(RelayedGround ground, Plan plan, Supplier<Result> round) {
        try (ground) {
            synchronized (this) {
                if (closed) {
                    return new Result(
                            plan, Verdict.BROKEN, "it was ended", List.of(), List.of(), List.of(), 0, 0, null);
                }
                playing = ground;
            }
            return round.get();
        }
    }

    private Result parked(Plan plan, Board board, ParkField field) {
        Supervisor supervisor = new Supervisor(field, board, board.now() + (long) (deadlineSeconds * 1e9));
        ParkedRound round = new ParkedRound(plan, board, field, supervisor, size);
        Verdict verdict;
        String what;
        try {
            field.open();
            verdict = round.play();
            what = verdict == Verdict.TAKEN_BACK
                    ? "the QEMU gave its guest up for a recovery that ended before its fourth byte; it was brought there again from the folder"
                    : "completed";
        } catch (RoundFailed e) {
            verdict = e.verdict();
            what = String.valueOf(e.getMessage());
        } catch (LabFailed | IOException | StoreException e) {
            String dead = field.dead();
            verdict = Verdict.BROKEN;
            what = (dead == null ? String.valueOf(e.getMessage()) : dead) + "; the source was in " + supervisor.source()
                    + ", the destination in " + supervisor.destination();
        }
        return new Result(
                plan,
                verdict,
                what,
                round.hits(),
                List.of(),
                supervisor.restarts(),
                0,
                board.now() / 1e9,
                verdict.good() ? null : Logs.of(board, field));
    }

    private Result play(Plan plan, Board board, Field field) {
        double seconds = Math.max(LEAST_POSTCOPY_SECONDS, plan.recoveries() * SECONDS_PER_RECOVERY);
        Pace pace = new Pace(size, size / PRECOPY_SECONDS, Math.max(1, (long) (size / seconds)));
        long readRate = Math.max(2, (long) ((size >> Pages.SHIFT) / seconds));
        Round round = null;
        Operator operator = null;
        Verdict verdict;
        String what;
        try {
            field.start(plan.seed(), readRate, plan.mode() == Plan.Mode.STORED);
            long until = board.now() + (long) (deadlineSeconds * 1e9);
            operator = new Operator(field, board, plan, pace, until);
            round = new Round(plan, board, field, operator);
            verdict = round.play();
            what = verdict == Verdict.GONE ? "the source was killed in precopy" : "completed";
        } catch (RoundFailed e) {
            verdict = e.verdict();
            what = String.valueOf(e.getMessage());
        } catch (LabFailed | IOException e) {
            // A process that died is the cause, whatever was noticed first.
            String dead = field.dead();
            verdict = Verdict.BROKEN;
            what = (dead == null ? String.valueOf(e.getMessage()) : dead)
                    + (operator == null ? "" : "; " + operator.states());
        }
        return new Result(
                plan,
                verdict,
                what,
                round == null ? List.of() : round.hits(),
                operator == null ? List.of() : operator.recoveries(),
                List.of(),
                operator == null ? 0 : operator.failedRecoveries(),
                board.now() / 1e9,
                verdict.good() ? null : Logs.of(board, field));
    }

    @Override
    public void close() {
        RelayedGround field;
        synchronized (this) {
            closed = true;
            field = playing;
        }
        if (field != null) {
            field.close();
        }
    }
}
