// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.RelayedGround;
import io.godwit.app.lab.Side;
import io.godwit.app.lab.VmMemory;
import io.godwit.app.vm.Emulator;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.FaultPlan;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The experiment of "Allow network to fail even during recovery" with real QEMUs at its outer ends: a VM that writes all the time is parked by a postcopy and unparked by
 * another, in both of which the channel is lost and recoveries fail; then it is stopped, and all of its memory looked at. Each step is QMP, as an operator would do it.
 */
final class QemuScenario implements Play {
    private static final double SENT_BEFORE_SWITCH = 0.2;
    private static final Duration TICK = Duration.ofMillis(20);

    /** The guest asks for page after page, and those are not held up by the limit on the bandwidth: so the path itself is slow, until it breaks. In so many seconds all would have come. */
    private static final long UNPARK_SECONDS = 10;

    private static final Duration MOST_DWELL_BEFORE_CUT = Duration.ofSeconds(1);

    private final Settings settings;
    private final Virtualization qemu;
    private final Board board;
    private final QemuLab lab;
    private final Report report;

    QemuScenario(Settings settings, Virtualization qemu, Board board, Report report) {
        this.settings = settings;
        this.qemu = qemu;
        this.board = board;
        this.lab = new QemuLab(settings, qemu, board);
        this.report = report;
    }

    @Override
    public void run() throws LabFailed, IOException {
        step("A virtual machine of QEMU " + qemu.emulator().series() + ", a folder to park it in, two relays");
        board.add(new Happening.Outcome(
                "they start, and the VM's guest goes through %s of memory".formatted(Figures.size(settings.size()))));
        if (qemu.emulator().mayNotSurviveFailedRecoveries()) {
            board.add(
                    new Happening.Outcome(
                            "a QEMU " + qemu.emulator().series()
                                    + " does not survive a recovery that fails (as source it sticks, as destination it crashes): the channel is lost, and no recovery is made to fail"));
        }
        lab.startPark();
        report.accelerator = lab.accelerator();
        park();
        step("Unpark: another QEMU waits for the VM");
        lab.startUnpark();
        unpark();
        prove();
        lab.endLeg();
    }

    // ---- the two legs

    private void park() throws LabFailed, IOException {
        step("Park: the VM runs in its QEMU, and its memory follows it");
        capabilities();
        lab.source()
                .order(
                        "migrate-set-parameters",
                        JsonObject.builder()
                                .put("max-bandwidth", settings.precopyBandwidth())
                                .put("max-postcopy-bandwidth", settings.postcopyBandwidth())
                                .put("downtime-limit", 1)
                                .build());
        migrate();
        board.await(Side.SOURCE, "active", settings.patience());
        board.await(Side.DESTINATION, "active", settings.patience());
        board.await(
                "a fifth of the memory is sent",
                settings.patienceForAll(),
                () -> transferred() >= SENT_BEFORE_SWITCH * settings.size());
        step("Park, postcopy: the VM stops, and what its QEMU still has comes to the folder");
        lab.source().order("migrate-start-postcopy");
        board.await(Side.SOURCE, "postcopy-active", settings.patience());
        board.await(Side.DESTINATION, "postcopy-active", settings.patience());
        board.pass(settings.dwell());
        step("Park: the channel is lost: migrate-pause");
        lose("park: migrate-pause", () -> lab.source().order("migrate-pause"), settings.seed());
        step("Park: to the end, at full speed");
        finish();
        report.legs.add(leg("park"));
        board.add(new Happening.Outcome("the VM is parked, nobody runs it"));
    }

    private void unpark() throws LabFailed, IOException {
        step("Unpark: the VM runs at once, and asks for the pages that it misses");
        capabilities();
        lab.source()
                .order(
                        "migrate-set-parameters",
                        RelayedGround.with("max-postcopy-bandwidth", Json.of(settings.postcopyBandwidth())));
        long rate = settings.size() / UNPARK_SECONDS;
        board.add(new Happening.Network("relay (b)", "passes " + Figures.size(rate) + " a second"));
        lab.relayB().setFault(FaultPlan.parse("forward:rate=" + rate));
        long began = migrate();
        board.await("the VM runs again", settings.patience(), () -> board.runs(Side.DESTINATION));
        report.runsAfterMillis = (board.now() - began) / 1e6;
        board.add(new Happening.Outcome(
                "the VM runs again, %.1f ms after the command".formatted(report.runsAfterMillis)));
        board.await(Side.SOURCE, "postcopy-active", settings.patience());
        board.await(Side.DESTINATION, "postcopy-active", settings.patience());
        Duration dwell = settings.dwell();
        board.pass(dwell.compareTo(MOST_DWELL_BEFORE_CUT) < 0 ? dwell : MOST_DWELL_BEFORE_CUT);
        step("Unpark: the channel is lost: cut");
        lose("unpark: cut", this::cut, settings.seed() + 1);
        step("Unpark: to the end, at full speed");
        finish();
        report.legs.add(leg("unpark"));
    }

    private void cut() {
        board.add(new Happening.Network("relay (b)", "is cut"));
        lab.relayB().cut();
    }

    private void lose(String cause, Recoveries.Blow blow, long seed) throws LabFailed, IOException {
        List<Fault> faults = qemu.emulator().mayNotSurviveFailedRecoveries() ? List.of() : Fault.all(settings, seed);
        if (lab.destination().isQemu() && qemu.emulator().mayGiveUpEarly()) {
            faults = faults.stream()
                    .map(fault -> fault.after(Emulator.FIRST_BYTES))
                    .toList();
        }
        Recoveries recoveries = new Recoveries(settings, board, lab);
        report.losses.add(recoveries.lose(cause, blow, faults));
        long sent = transferred();
        board.await("pages come again after the recovery", settings.patience(), () -> transferred() > sent);
        board.pass(settings.dwell());
    }

    /** Begins the leg's migration; returns when that was, as {@link Board#now}. */
    private long migrate() throws LabFailed {
        JsonObject.Builder incoming =
                JsonObject.builder().put("uri", lab.destinationAddress().toString());
        if (lab.destination().isQemu() && qemu.emulator().atLeast(9, 1)) {
            // As unpark does: a connection that comes to nothing shall not end the process.
            incoming.put("exit-on-error", false);
        }
        lab.destination().order("migrate-incoming", incoming.build());
        long now = board.now();
        lab.source()
                .order(
                        "migrate",
                        RelayedGround.with("uri", Json.of(lab.sourceAddress().toString())));
        return now;
    }

    private void capabilities() throws LabFailed {
        Stream<String> names = Stream.concat(
                Stream.of("events", "return-path", "postcopy-ram"),
                settings.preempt() ? Stream.of("postcopy-preempt") : Stream.empty());
        lab.orderBoth(
                "migrate-set-capabilities",
                RelayedGround.with(
                        "capabilities",
                        Json.array(names.map(name -> JsonObject.builder()
                                        .put("capability", name)
                                        .put("state", true)
                                        .build())
                                .toArray(Json[]::new))));
    }

    private void finish() throws LabFailed {
        if (!board.status(Side.SOURCE).equals("completed")) {
            lab.source().order("migrate-set-parameters", RelayedGround.with("max-postcopy-bandwidth", Json.of(0)));
        }
        board.await(Side.DESTINATION, "completed", settings.patienceForAll());
        board.await(Side.SOURCE, "completed", settings.patienceForAll());
    }

    private Report.Leg leg(String name) throws LabFailed {
        return new Report.Leg(
                name, lab.source().query("query-migrate"), lab.destination().query("query-migrate"));
    }

    private void prove() throws LabFailed, IOException {
        step("The memory");
        VmMemory memory = lab.memory(lab.destination());
        int last = memory.last();
        long until = board.now() + settings.patienceForAll().toNanos();
        while (memory.last() == last) {
            board.pass(TICK);
            if (board.now() > until) {
                throw new LabFailed("the VM does not go on: its last page is not counted any more");
            }
        }
        lab.destination().order("stop");
        board.await("the VM stops", settings.patience(), () -> !board.runs(Side.DESTINATION));
        board.add(new Happening.Order(Side.DESTINATION, "pmemsave"));
        report.memory = memory.verify();
        board.add(new Happening.Outcome(report.memory.string("summary")));
    }

    private void step(String title) {
        board.add(new Happening.Step(title));
    }

    private long transferred() {
        return Figures.of(board.migration(Side.SOURCE), "ram", "transferred");
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
}
