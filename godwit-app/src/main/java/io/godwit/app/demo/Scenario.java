// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.RelayedGround;
import io.godwit.app.lab.Side;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The scenario, from precopy to a memory that is proven right, each step by QMP as an operator would do it:
 * the experiment of "Allow network to fail even during recovery", and what that left open.
 */
final class Scenario implements Play {
    /** A guest's round to look at every hot page once more must not take for ever where it writes slowly. */
    private static final Duration ONE_MORE_SWEEP = Duration.ofSeconds(3);

    private static final double SENT_BEFORE_SWITCH = 0.2;

    private final Settings settings;
    private final Board board;
    private final Lab lab;
    private final Report report;
    private final Recoveries recoveries;

    Scenario(Settings settings, Board board, Report report) {
        this.settings = settings;
        this.board = board;
        this.lab = new Lab(settings, board);
        this.report = report;
        this.recoveries = new Recoveries(settings, board, lab);
    }

    @Override
    public void run() throws LabFailed, IOException {
        step("Two processes, two relays");
        board.add(new Happening.Outcome(
                "they start, and the source fills %s of memory".formatted(Figures.size(settings.size()))));
        lab.start();
        precopy();
        postcopy();
        List<Fault> faults = Fault.all(settings);
        int half = (faults.size() + 1) / 2;
        step("The channel is lost: migrate-pause");
        report.losses.add(
                recoveries.lose("migrate-pause", () -> lab.source().order("migrate-pause"), faults.subList(0, half)));
        goesOn();
        step("The channel is lost: cut");
        report.losses.add(recoveries.lose("cut", this::cut, faults.subList(half, faults.size())));
        finish();
        prove();
        lab.quit();
    }

    @Override
    public @Nullable String dead() {
        return lab.dead();
    }

    @Override
    public List<String> tails(int most) {
        return lab.tails(most);
    }

    @Override
    public void close() {
        lab.close();
    }

    private void cut() {
        board.add(new Happening.Network("relay (b)", "is cut"));
        lab.relayB().cut();
    }

    private void precopy() throws LabFailed {
        step("Precopy: the guest runs at the source");
        Stream<String> capabilities = Stream.concat(
                Stream.of("events", "return-path", "postcopy-ram"),
                settings.preempt() ? Stream.of("postcopy-preempt") : Stream.empty());
        lab.orderBoth(
                "migrate-set-capabilities",
                RelayedGround.with(
                        "capabilities",
                        Json.array(capabilities
                                .map(name -> JsonObject.builder()
                                        .put("capability", name)
                                        .put("state", true)
                                        .build())
                                .toArray(Json[]::new))));
        lab.source()
                .order(
                        "migrate-set-parameters",
                        JsonObject.builder()
                                .put("max-bandwidth", settings.precopyBandwidth())
                                .put("max-postcopy-bandwidth", settings.postcopyBandwidth())
                                .build());
        lab.destination()
                .order(
                        "migrate-incoming",
                        RelayedGround.with(
                                "uri", Json.of(lab.destinationAddress().toString())));
        lab.source()
                .order(
                        "migrate",
                        RelayedGround.with("uri", Json.of(lab.sourceAddress().toString())));
        board.await(Side.SOURCE, "active", settings.patience());
        board.await(Side.DESTINATION, "active", settings.patience());
        board.await(
                "a fifth of the memory is sent",
                settings.patienceForAll(),
                () -> transferred() >= SENT_BEFORE_SWITCH * settings.size());
    }

    private void postcopy() throws LabFailed {
        step("Postcopy: the guest runs at the destination and asks for the pages it misses");
        lab.source().order("migrate-start-postcopy");
        board.await(Side.SOURCE, "postcopy-active", settings.patience());
        board.await(Side.DESTINATION, "postcopy-active", settings.patience());
        board.await("the guest runs at the destination", settings.patience(), () -> board.runs(Side.DESTINATION));
        board.await("a requested page is served", settings.patience(), () -> answered() > 0 && asked() > 0);
        board.pass(settings.dwell());
        long sweeps = sweeps() + 2L * settings.writers();
        board.await(
                "the writers have their pages",
                settings.patienceForAll(),
                () -> settings.writers() == 0 || sweeps() >= sweeps);
    }

    /** A recovered migration moves pages again. */
    private void goesOn() throws LabFailed {
        long missing = missing();
        long served = answered();
        board.pass(settings.dwell());
        board.await(
                "pages come again after the recovery",
                settings.patience(),
                () -> missing() < missing && answered() > served);
        board.add(new Happening.Outcome(
                "pages come again: %,d are missing, %,d waits of the guest have ended with their page"
                        .formatted(missing(), answered())));
    }

    private void finish() throws LabFailed {
        step("To the end, at full speed");
        lab.source().order("migrate-set-parameters", RelayedGround.with("max-postcopy-bandwidth", Json.of(0)));
        board.await(Side.DESTINATION, "completed", settings.patienceForAll());
        board.await(Side.SOURCE, "completed", settings.patienceForAll());
        report.contRefused = lab.source().refused("cont");
        board.add(new Happening.Outcome("the source refuses to run the guest again: " + report.contRefused));
    }

    private void prove() throws LabFailed {
        step("The memory");
        long written = written() + settings.hotPages();
        board.awaitQuietly(ONE_MORE_SWEEP, () -> written() >= written);
        lab.destination().order("stop");
        board.await("the guest stops", settings.patience(), () -> !board.runs(Side.DESTINATION));
        report.sourceMigration = lab.source().query("query-migrate");
        report.destinationMigration = lab.destination().query("query-migrate");
        report.guest = lab.destination().query("x-godwit-guest-stats");
        board.add(new Happening.Order(Side.DESTINATION, "x-godwit-guest-verify"));
        report.memory = lab.destination().query("x-godwit-guest-verify");
        board.add(new Happening.Outcome(report.memory.string("summary", "")));
        long waiting = report.guest.int64("blocked-threads", 0)
                + report.destinationMigration.object("x-godwit-requests").int64("outstanding", 0);
        if (waiting != 0) {
            throw new LabFailed(waiting + " waits for a page have not ended with it");
        }
    }

    private void step(String title) {
        board.add(new Happening.Step(title));
    }

    private long transferred() {
        JsonObject migration = board.migration(Side.SOURCE);
        return migration.has("ram") ? migration.object("ram").int64("transferred", 0) : 0;
    }

    private long asked() {
        JsonObject migration = board.migration(Side.SOURCE);
        return migration.has("ram") ? migration.object("ram").int64("postcopy-requests", 0) : 0;
    }

    private long answered() {
        JsonObject migration = board.migration(Side.DESTINATION);
        return migration.has("x-godwit-requests")
                ? migration.object("x-godwit-requests").int64("count", 0)
                : 0;
    }

    private long missing() {
        return board.guest(Side.DESTINATION).int64("missing-pages", Long.MAX_VALUE);
    }

    private long written() {
        return board.guest(Side.DESTINATION).int64("pages-written", 0);
    }

    /** The sweeps of all writers together. */
    private long sweeps() {
        JsonObject guest = board.guest(Side.DESTINATION);
        long sum = 0;
        if (guest.has("writers")) {
            for (int i = 0; i < guest.array("writers").size(); i++) {
                sum += guest.array("writers").object(i).int64("sweep");
            }
        }
        return sum;
    }
}
