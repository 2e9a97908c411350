// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.demo.Fault.Kick;
import io.godwit.app.lab.Board;
import io.godwit.app.lab.End;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.RelayedGround;
import io.godwit.app.lab.Side;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.FaultPlan;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A lost channel, the recoveries that fail, and the one that does not. */
final class Recoveries {
    private static final String PAUSED = "postcopy-paused";
    private static final String RECOVER = "postcopy-recover";
    private static final String ACTIVE = "postcopy-active";

    /** The handshake's deadline where it is not the deadline that shall end it: the product's own. */
    private static final long LONG_DEADLINE_MILLIS = 10_000;

    /** In which a cut that was to come behind the handshake has come. */
    private static final Duration LATE_CUT = Duration.ofMillis(300);

    /** Round trips through an endpoint's loop after which it has seen all that the kernel had for it. */
    private static final int ROUND_TRIPS = 4;

    /** In which a QEMU has accepted what waited at its socket, and has seen that nobody is behind it; it answers QMP meanwhile. */
    private static final Duration QEMU_SETTLES = Duration.ofMillis(250);

    private final Settings settings;
    private final Board board;
    private final Ground lab;
    private long deadlineMillis = -1;
    private int number;

    Recoveries(Settings settings, Board board, Ground lab) {
        this.settings = settings;
        this.board = board;
        this.lab = lab;
    }

    /** What breaks the channel. */
    interface Blow {
        void strike() throws LabFailed;
    }

    /** Breaks the channel, has a recovery fail in each of the ways given, then recovers. */
    Report.Loss lose(String cause, Blow blow, List<Fault> faults) throws LabFailed, IOException {
        int sourceMark = board.mark(Side.SOURCE);
        int destinationMark = board.mark(Side.DESTINATION);
        long struck = board.now();
        blow.strike();
        double source = millis(struck, board.awaitSince(Side.SOURCE, sourceMark, PAUSED, settings.patience()));
        double destination =
                millis(struck, board.awaitSince(Side.DESTINATION, destinationMark, PAUSED, settings.patience()));
        JsonObject before = guest();
        List<Report.Failure> failures = new ArrayList<>();
        for (Fault fault : faults) {
            failures.add(fail(fault));
        }
        board.pass(settings.dwell());
        long written = -1;
        long waiting = -1;
        if (lab.destination().hasEmbeddedGuest()) {
            JsonObject after = writersGoOn(before);
            written = after.int64("pages-written") - before.int64("pages-written");
            waiting = after.int64("blocked-threads");
            board.add(new Happening.Outcome(
                    "while paused the writers wrote %,d pages; %d threads of the guest wait for a page"
                            .formatted(written, waiting)));
        }
        double took = recover();
        return new Report.Loss(
                cause, source, destination, millis(struck, board.now()), written, waiting, took, failures);
    }

    private JsonObject guest() throws LabFailed {
        return lab.destination().hasEmbeddedGuest() ? lab.destination().query("x-godwit-guest-stats") : Json.object();
    }

    /** Those who have their pages are not held up by a network that is gone. */
    private JsonObject writersGoOn(JsonObject before) throws LabFailed {
        long written = before.int64("pages-written");
        board.await(
                "the writers go on while the migration is paused",
                settings.patience(),
                () -> settings.writers() == 0 || board.guest(Side.DESTINATION).int64("pages-written", 0) > written);
        return lab.destination().query("x-godwit-guest-stats");
    }

    private double recover() throws LabFailed, IOException {
        deadline(LONG_DEADLINE_MILLIS);
        listen();
        int sourceMark = board.mark(Side.SOURCE);
        int destinationMark = board.mark(Side.DESTINATION);
        long began = resume();
        long source = board.awaitSince(Side.SOURCE, sourceMark, ACTIVE, settings.patience());
        long destination = board.awaitSince(Side.DESTINATION, destinationMark, ACTIVE, settings.patience());
        double took = millis(began, Math.max(source, destination));
        board.add(new Happening.Outcome("recovered in %.1f ms".formatted(took)));
        return took;
    }

    private void listen() throws LabFailed {
        lab.destination()
                .order(
                        "migrate-recover",
                        RelayedGround.with(
                                "uri", Json.of(lab.destinationAddress().toString())));
    }

    private Report.Failure fail(Fault fault) throws LabFailed, IOException {
        number++;
        deadline(deadlineFor(fault));
        if (lab.destination().isQemu()) {
            listen();
        }
        board.add(new Happening.Network("recovery " + number, fault.words()));
        if (fault instanceof Fault.Dead) {
            lab.relayB().kill();
        } else {
            lab.relayB().setFault(fault.plan());
        }
        int sourceMark = board.mark(Side.SOURCE);
        int destinationMark = board.mark(Side.DESTINATION);
        long began = resume();
        double kick = switch (fault) {
            case Fault.Blackhole _
            when lab.source().isQemu() -> {
                board.awaitSince(Side.SOURCE, sourceMark, RECOVER, settings.patience());
                board.pass(settings.hang());
                yield kick(lab.source(), sourceMark);
            }
            case Fault.Dead _, Fault.Refuse _, Fault.Blackhole _ -> {
                board.awaitSince(Side.SOURCE, sourceMark, RECOVER, settings.patience());
                yield -1;
            }
            case Fault.Cut _ -> {
                cut(sourceMark);
                yield -1;
            }
            case Fault.HalfOpen(Kick who) -> {
                board.awaitSince(Side.SOURCE, sourceMark, RECOVER, settings.patience());
                board.awaitSince(Side.DESTINATION, destinationMark, RECOVER, settings.patience());
                if (who != Kick.DEADLINE) {
                    hang();
                }
                yield kick(who, sourceMark, destinationMark);
            }
        };
        long source = board.awaitSince(Side.SOURCE, sourceMark, PAUSED, settings.patience());
        heal();
        settle();
        long destination = board.time(Side.DESTINATION, destinationMark, PAUSED);
        Report.Failure failure = new Report.Failure(
                number,
                fault,
                board.path(Side.SOURCE, sourceMark),
                millis(began, source),
                destination < 0 ? -1 : millis(began, destination),
                kick,
                reason());
        board.add(new Happening.Outcome("recovery %d failed as it was made to: %s after %.1f ms%s"
                .formatted(
                        number,
                        PAUSED,
                        Math.max(failure.sourceMillis(), failure.destinationMillis()),
                        kick < 0 ? "" : ", %.1f ms after migrate-pause".formatted(kick))));
        return failure;
    }

    private String reason() throws LabFailed {
        return lab.source().isQemu()
                ? lab.source().query("query-migrate").string("error-desc", "")
                : board.reason(Side.SOURCE);
    }

    /** What used to need an operator, or for ever: nothing moves, and nothing ends it. */
    private void hang() throws LabFailed {
        board.pass(settings.hang());
        for (Side side : Side.values()) {
            if (!board.status(side).equals(RECOVER)) {
                throw new LabFailed("both ends were to hang in " + RECOVER + ", but the " + side + " is in "
                        + board.status(side) + ": " + board.reason(side));
            }
        }
        board.add(new Happening.Outcome("both ends hang in " + RECOVER));
    }

    private long deadlineFor(Fault fault) {
        return switch (fault) {
            case Fault.HalfOpen(Kick who) when who != Kick.DEADLINE -> LONG_DEADLINE_MILLIS;
            case Fault.HalfOpen _, Fault.Dead _, Fault.Refuse _, Fault.Blackhole _, Fault.Cut _ ->
                settings.deadlineMillis();
        };
    }

    /** A cut that comes late finds a migration that goes on already; one that does not come is made. */
    private void cut(int mark) throws LabFailed {
        board.await(
                "the source comes to postcopy-paused or postcopy-active",
                settings.patience(),
                () -> board.seen(Side.SOURCE, mark, PAUSED) || board.seen(Side.SOURCE, mark, ACTIVE));
        if (!board.awaitQuietly(LATE_CUT, () -> board.seen(Side.SOURCE, mark, PAUSED))) {
            board.add(new Happening.Network("relay (b)", "has not come so far yet and is cut now"));
            lab.relayB().cut();
        }
    }

    /** Ends a handshake that hangs at both ends; returns how long migrate-pause took to do so, or -1. */
    private double kick(Kick who, int sourceMark, int destinationMark) throws LabFailed, IOException {
        return switch (who) {
            case SOURCE -> kick(lab.source(), sourceMark);
            case DESTINATION -> {
                double took = kick(lab.destination(), destinationMark);
                board.add(new Happening.Outcome("the source cannot know that: it is in " + board.status(Side.SOURCE)
                        + " until the path itself breaks"));
                heal();
                yield took;
            }
            case DEADLINE -> {
                // From here on the other direction is swallowed, too: so no end hears of the other's deadline.
                board.add(new Happening.Network("relay (b)", "swallows both directions now; nobody says anything"));
                lab.relayB().setFault(FaultPlan.parse("both:swallow"));
                ownDeadline(lab.source(), sourceMark);
                ownDeadline(lab.destination(), destinationMark);
                if (lab.source().isQemu() || lab.destination().isQemu()) {
                    Side other = lab.source().isQemu() ? Side.SOURCE : Side.DESTINATION;
                    board.add(new Happening.Outcome("QEMU has no deadline: the " + other + " is in "
                            + board.status(other) + " until the path itself breaks, or migrate-pause"));
                    heal();
                    board.awaitSince(
                            other, other == Side.SOURCE ? sourceMark : destinationMark, PAUSED, settings.patience());
                }
                yield -1;
            }
        };
    }

    private void ownDeadline(End end, int mark) throws LabFailed {
        if (!end.isQemu()) {
            board.awaitSince(end.side(), mark, PAUSED, settings.patience());
        }
    }

    private double kick(End end, int mark) throws LabFailed {
        long began = board.now();
        end.order("migrate-pause");
        return millis(began, board.awaitSince(end.side(), mark, PAUSED, settings.patience()));
    }

    /** The path is as it was, without a connection. */
    private void heal() throws IOException {
        lab.relayB().setFault(FaultPlan.NONE);
        lab.relayB().revive();
        lab.relayB().cut();
        lab.relayA().cut();
    }

    /** Both ends have come to rest in postcopy-paused, and nothing of the failed attempt can come any more. */
    private void settle() throws LabFailed {
        if (lab.source().isQemu() || lab.destination().isQemu()) {
            board.pass(QEMU_SETTLES);
        }
        for (End end : List.of(lab.source(), lab.destination())) {
            for (int i = 0; i < ROUND_TRIPS; i++) {
                end.query("query-migrate");
            }
            board.await(end.side(), PAUSED, settings.patience());
        }
    }

    private long resume() throws LabFailed {
        long now = board.now();
        lab.source()
                .order(
                        "migrate",
                        JsonObject.builder()
                                .put("uri", lab.sourceAddress().toString())
                                .put("resume", true)
                                .build());
        return now;
    }

    private void deadline(long millis) throws LabFailed {
        if (millis != deadlineMillis) {
            JsonObject parameter = RelayedGround.with("x-godwit-handshake-timeout", Json.of(millis));
            if (lab.source().isQemu()) {
                lab.destination().order("migrate-set-parameters", parameter);
            } else if (lab.destination().isQemu()) {
                lab.source().order("migrate-set-parameters", parameter);
            } else {
                lab.orderBoth("migrate-set-parameters", parameter);
            }
            deadlineMillis = millis;
        }
    }

    private static double millis(long from, long to) {
        return (to - from) / 1e6;
    }
}
