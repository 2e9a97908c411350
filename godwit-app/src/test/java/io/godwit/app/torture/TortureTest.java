// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.app.lab.Side;
import io.godwit.app.torture.Result.Hit;
import io.godwit.app.torture.Result.Verdict;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import io.godwit.net.Fault;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Plans, judgement, counting and reporting, without processes. */
class TortureTest {
    private final StringWriter out = new StringWriter();

    private static Result result(long seed, Verdict verdict, @Nullable List<String> logs, Hit... hits) {
        return new Result(
                Plan.draw(seed, 0, Plan.Means.RELAYS),
                verdict,
                "what was seen",
                List.of(hits),
                List.of(10.0, 30.0),
                List.of(900.0),
                1,
                2,
                logs);
    }

    private boolean run(boolean json, boolean keep, Verdict verdict) {
        Torture torture = new Torture(
                new PrintWriter(out),
                json,
                keep,
                seed -> result(
                        seed, verdict, verdict.good() ? null : List.of("a line"), new Hit("cut", "active", 5, 7)));
        return torture.run(41, 2, 60);
    }

    @Test
    void aSeedIsAPlan() {
        assertThat(Plan.draw(5, 0, Plan.Means.RELAYS)).isEqualTo(Plan.draw(5, 0, Plan.Means.RELAYS));
        assertThat(LongStream.range(0, 200)
                        .mapToObj(seed -> Plan.draw(seed, 0, Plan.Means.RELAYS).words())
                        .collect(Collectors.toSet()))
                .hasSizeGreaterThan(190);
    }

    /** What can be drawn at all: each kind of blow, and each moment. */
    @Test
    void everythingIsDrawn() {
        List<Plan.Strike> all = LongStream.range(0, 400)
                .boxed()
                .flatMap(seed -> Plan.draw(seed, 0, Plan.Means.RELAYS).strikes().stream())
                .toList();
        assertThat(all.stream().map(Plan.Strike::moment).collect(Collectors.toSet()))
                .containsExactlyInAnyOrder(Moment.values());
        Set<String> kinds = all.stream().map(strike -> strike.blow().kind()).collect(Collectors.toSet());
        assertThat(kinds)
                .containsAll(Stream.of(Side.values())
                        .flatMap(side -> Stream.of("SIGSTOP, " + side, "kill -9, " + side, "migrate-pause, " + side))
                        .toList())
                .contains("cut", "cut at a byte, forward", "silence back", "slow link", "refused", "migrate_cancel")
                .doesNotContain("link down, source", "loss back");
    }

    /** Of packets nobody knows where a byte stands or which port is closed. */
    @Test
    void everythingThatCanBeDoneToPacketsIsDrawn() {
        List<Blow> all = LongStream.range(0, 400)
                .mapToObj(seed -> Plan.draw(seed, 0, Plan.Means.PACKETS))
                .flatMap(TortureTest::ways)
                .map(Plan.Strike::blow)
                .toList();
        assertThat(all)
                .noneMatch(blow -> blow instanceof Blow.Cut
                        || blow instanceof Blow.CutAt
                        || blow instanceof Blow.Slow
                        || blow instanceof Blow.Refuse);
        assertThat(all.stream().map(Blow::kind).collect(Collectors.toSet()))
                .containsAll(Stream.of(Side.values())
                        .flatMap(side -> Stream.of(
                                "SIGSTOP, " + side,
                                "kill -9, " + side,
                                "kill -9 unseen, " + side,
                                "link down, " + side,
                                "reset by the " + side,
                                "migrate-pause, " + side))
                        .toList())
                .contains("silence back", "silence forward", "loss back", "loss forward", "narrow link")
                .contains("migrate_cancel");
    }

    /** A process whose guest exists nowhere else, and in no store, is not killed. */
    @ParameterizedTest
    @EnumSource
    void nobodyIsKilledWithTheOnlyGuest(Plan.Means means) {
        for (long seed = 0; seed < 2_000; seed++) {
            Plan plan = Plan.draw(seed, 0, means);
            if (plan.mode() == Plan.Mode.PARKED) {
                continue;
            }
            for (Plan.Strike strike : plan.strikes()) {
                Side side = killed(strike.blow());
                if (side != null) {
                    boolean stored = plan.mode() == Plan.Mode.STORED && side == Side.DESTINATION;
                    assertThat(stored || strike.moment().compareTo(Moment.SWITCH) < 0)
                            .as(plan.words())
                            .isTrue();
                }
            }
            assertThat(plan.onward()).noneMatch(strike -> killed(strike.blow()) == Side.DESTINATION);
        }
    }

    private static @Nullable Side killed(Blow blow) {
        return switch (blow) {
            case Blow.Kill(Side side) -> side;
            case Blow.KillUnseen(Side side, int _) -> side;
            default -> null;
        };
    }

    private static List<Plan> parked(Plan.Host host) {
        return LongStream.range(0, 2_000)
                .boxed()
                .flatMap(seed -> Stream.of(Plan.Means.values()).map(means -> Plan.parked(seed, host, means)))
                .toList();
    }

    private static Stream<Plan.Strike> ways(Plan plan) {
        return Stream.concat(plan.strikes().stream(), plan.onward().stream());
    }

    @Test
    void oneRoundInEightIsParkedAndUnparkedByTheCommands() {
        long parked = LongStream.range(0, 2_000)
                .filter(seed -> Plan.draw(seed, 0, Plan.Means.RELAYS).mode() == Plan.Mode.PARKED)
                .count();
        assertThat(parked).isBetween(200L, 300L);
    }

    /** The command may die at any moment; whoever has the machine in its memory may not. */
    @ParameterizedTest
    @EnumSource
    void onlyParkAndUnparkAreKilledOnTheirWays(Plan.Host host) {
        for (Plan plan : parked(host)) {
            assertThat(plan.strikes()).noneMatch(strike -> killed(strike.blow()) == Side.SOURCE);
            assertThat(plan.onward()).noneMatch(strike -> killed(strike.blow()) == Side.DESTINATION);
        }
        Set<Moment> killed = parked(host).stream()
                .flatMap(TortureTest::ways)
                .filter(strike -> killed(strike.blow()) != null)
                .map(Plan.Strike::moment)
                .collect(Collectors.toSet());
        assertThat(killed).contains(Moment.ACTIVE, Moment.POSTCOPY);
        assertThat(killed.contains(Moment.RECOVER)).isNotEqualTo(host.fragile());
    }

    private static boolean breaksNothing(Blow blow) {
        return blow instanceof Blow.Slow || blow instanceof Blow.Narrow || blow instanceof Blow.Freeze;
    }

    /** What of its device state does not arrive is nowhere: so nothing is broken before it has. */
    @Test
    void aQemuIsLeftAloneWhileItGivesItsGuestAway() {
        for (Plan plan : Stream.of(Plan.Host.QEMU, Plan.Host.QEMU_FROM_10_1)
                .flatMap(host -> parked(host).stream())
                .toList()) {
            for (List<Plan.Strike> way : List.of(plan.strikes(), plan.onward())) {
                if (!Plan.isPrecopy(way)) {
                    assertThat(way)
                            .filteredOn(strike -> strike.moment() == Moment.ACTIVE)
                            .allMatch(strike -> breaksNothing(strike.blow()));
                }
            }
        }
    }

    @Test
    void noRecoveryWithAnOldQemuIsBroken() {
        for (Plan plan : parked(Plan.Host.QEMU_BEFORE_8_2)) {
            assertThat(ways(plan))
                    .noneMatch(strike -> strike.blow() instanceof Blow.Silence
                            || strike.blow() instanceof Blow.Refuse
                            || strike.blow() instanceof Blow.Lossy
                            || strike.blow() instanceof Blow.Down)
                    .filteredOn(strike -> strike.moment() == Moment.RECOVER)
                    .allMatch(strike -> breaksNothing(strike.blow()));
        }
    }

    /** It would take that for the end; what comes to a park, and what breaks a recovery later, is as for any other. */
    @Test
    void noRecoveryToANewQemuEndsBeforeItsFourthByte() {
        for (Plan plan : parked(Plan.Host.QEMU_FROM_10_1)) {
            assertThat(plan.onward())
                    .filteredOn(strike -> strike.moment() == Moment.RECOVER)
                    .noneMatch(strike -> strike.blow() instanceof Blow.Cut
                            || strike.blow() instanceof Blow.Refuse
                            || strike.blow() instanceof Blow.Reset
                            || (strike.blow() instanceof Blow.CutAt cut
                                    && cut.direction() == Fault.Direction.FORWARD
                                    && cut.bytes() < 4));
        }
        // What packets lose comes later; what a relay swallows never does, and who hears of it is cut.
        for (long seed = 0; seed < 2_000; seed++) {
            assertThat(Plan.parked(seed, Plan.Host.QEMU_FROM_10_1, Plan.Means.RELAYS)
                            .onward())
                    .noneMatch(strike -> strike.blow() instanceof Blow.Silence silence
                            && silence.direction() == Fault.Direction.FORWARD);
        }
        Set<String> cuts = parked(Plan.Host.QEMU_FROM_10_1).stream()
                .flatMap(plan -> plan.onward().stream())
                .filter(strike -> strike.moment() == Moment.RECOVER && strike.blow() instanceof Blow.CutAt)
                .map(strike -> ((Blow.CutAt) strike.blow()).direction().toString())
                .collect(Collectors.toSet());
        assertThat(cuts).hasSize(2);
        assertThat(parked(Plan.Host.QEMU_FROM_10_1).stream().flatMap(plan -> plan.strikes().stream()))
                .anyMatch(strike -> strike.moment() == Moment.RECOVER && strike.blow() instanceof Blow.Cut);
    }

    @ParameterizedTest
    @CsvSource({"1", "17", "1000"})
    void recoveriesAreAsManyAsAskedFor(int wanted) {
        Plan plan = Plan.draw(3, wanted, Plan.Means.RELAYS);
        assertThat(plan.postcopy()).isTrue();
        assertThat(plan.strikes().stream().filter(strike -> strike.moment() == Moment.POSTCOPY))
                .hasSize(wanted);
    }

    @Test
    void oneDamagedPageIsALostGuest() {
        JsonObject memory = JsonObject.builder()
                .put("ok", false)
                .put("summary", "1 of 8192 pages is damaged")
                .build();
        assertThatThrownBy(() -> Proof.judge(memory, Json.object()))
                .isInstanceOfSatisfying(
                        RoundFailed.class, e -> assertThat(e.verdict()).isEqualTo(Verdict.LOST))
                .hasMessageContaining("1 of 8192 pages is damaged");
    }

    @ParameterizedTest
    @CsvSource({"blocked-threads", "missing-pages"})
    void whoStillWaitsForAPageIsLost(String what) {
        JsonObject memory = JsonObject.builder().put("ok", true).build();
        JsonObject stats = JsonObject.builder().put(what, 1).build();
        assertThatThrownBy(() -> Proof.judge(memory, stats)).isInstanceOf(RoundFailed.class);
        assertThatCode(() -> Proof.judge(memory, Json.object())).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @EnumSource(Verdict.class)
    void onlyGoodRoundsPass(Verdict verdict) {
        boolean good =
                Set.of(Verdict.COMPLETED, Verdict.GONE, Verdict.TAKEN_BACK).contains(verdict);
        assertThat(run(false, false, verdict)).isEqualTo(good);
        if (good) {
            assertThat(out.toString())
                    .contains("PASSED", "faults survived")
                    .doesNotContain("seed 41")
                    .containsPattern("cut +- +2 +-");
        } else {
            assertThat(out.toString())
                    .contains("FAILED", verdict + ": seed 41: what was seen", "--seed 42 --rounds 1")
                    .contains(Plan.draw(41, 0, Plan.Means.RELAYS).words())
                    .containsPattern("faults survived +0");
        }
    }

    @Test
    void theReportIsJsonToo() throws JsonSyntaxException {
        assertThat(run(true, false, Verdict.STUCK)).isFalse();
        List<String> lines = out.toString().lines().toList();
        assertThat(lines).hasSize(3);
        JsonObject last = (JsonObject) Json.parse(lines.get(2));
        assertThat(last.string("event")).isEqualTo("report");
        assertThat(last.object("report").int64("stuck")).isEqualTo(2);
        assertThat(last.object("report").bool("good")).isFalse();
        assertThat(last.object("report").array("bad-seeds").size()).isEqualTo(2);
    }

    @Test
    void logsAreKeptWhereItSays() throws IOException, JsonSyntaxException {
        run(true, true, Verdict.LOST);
        for (String line : out.toString().lines().toList()) {
            JsonObject object = (JsonObject) Json.parse(line);
            if (object.string("event").equals("round")) {
                Path folder = Path.of(object.string("logs"));
                assertThat(folder.resolve("round.log")).hasContent("a line");
                Files.delete(folder.resolve("round.log"));
                Files.delete(folder);
            }
        }
    }

    @Test
    void quantilesAreValuesThatWereSeen() {
        List<Double> values = List.of(4.0, 1.0, 3.0, 2.0);
        assertThat(Tally.quantile(values, 0.5)).isEqualTo(2);
        assertThat(Tally.quantile(values, 0.99)).isEqualTo(4);
        assertThat(Tally.quantile(List.of(), 0.5)).isNegative();
    }
}
