// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.EndpointControl.Owner;
import io.godwit.guest.ChurnOptions;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A migration's first connection is cut at one byte after the other. Whatever the byte: never do two guests run, never none for good; and after what the outcome
 * asks for (nothing, a recovery, an operator's word) a migration completes with every page right.
 */
@Timeout(120)
class ConnectionCutIT {
    /** Nobody writes, so that every run sends the same bytes. */
    private static final ChurnOptions IDLE = ChurnOptions.idle(Pair.MIB).withSeed(4712);

    private static final List<Capability> PRECOPY = List.of(Capability.RETURN_PATH);

    private static final String FORWARD_CUT = "forward:cut-after=";
    private static final long MAGIC_BYTES = 4;

    /** How a cut first connection may end. */
    private enum Outcome {
        /** Nothing was handed over: the guest goes on at the source. */
        FAILED,
        /** Handed over: recovered, completed. */
        RECOVERED,
        /** Handed to the network, and lost there: the destination says so, the operator gives the guest back. */
        NEVER_RAN,
        /** The cut came too late to matter. */
        COMPLETED
    }

    /** What a run is like but for its cut. */
    private record Plan(
            ChurnOptions guest, List<Capability> capabilities, boolean postcopy, UnaryOperator<Parameters> parameters) {
        Pair begin(String fault) throws Exception {
            Pair pair = new Pair(guest, capabilities.toArray(Capability[]::new));
            pair.parameters(parameters);
            pair.fault(fault);
            pair.source.migrate(pair.target, false);
            if (postcopy) {
                startPostcopy(pair);
            }
            return pair;
        }
    }

    /** The cut may have been faster than this word. */
    private static void startPostcopy(Pair pair) {
        try {
            pair.source.migrateStartPostcopy();
        } catch (CommandRefused late) {
            assertThat(late).hasMessageContaining("there is no running migration");
        }
    }

    private static Parameters quiet(Parameters p) {
        return new Parameters(0, 0, 300, 0, 5000, 10_000, 60_000);
    }

    private static Parameters still(Parameters p) {
        return new Parameters(1, 1, 300, 0, 5000, 10_000, 60_000);
    }

    @Test
    void precopyForward() throws Exception {
        Plan plan = new Plan(IDLE, PRECOPY, false, ConnectionCutIT::quiet);
        long total;
        try (Pair pair = plan.begin("none")) {
            pair.bothCompleted();
            Pair.eventually("the relay is empty", () -> pair.relay.stats().open() == 0);
            total = pair.relay.stats().forwardBytes();
        }
        TreeSet<Long> places = new TreeSet<>();
        add(places, 0, 130, 13);
        add(places, 200, total - 1000, total / 8);
        add(places, total - 1000, total, 31);
        Map<Outcome, Integer> seen = cutAt(plan, "forward", places);
        assertThat(seen).containsKeys(Outcome.FAILED, Outcome.NEVER_RAN, Outcome.RECOVERED);
    }

    @Test
    void precopyBack() throws Exception {
        Plan plan = new Plan(IDLE, PRECOPY, false, ConnectionCutIT::quiet);
        TreeSet<Long> places = new TreeSet<>();
        add(places, 0, 26, 1);
        Map<Outcome, Integer> seen = cutAt(plan, "back", places);
        assertThat(seen).containsKeys(Outcome.FAILED, Outcome.RECOVERED, Outcome.COMPLETED);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void switchToPostcopyForward(boolean preempt) throws Exception {
        Plan plan = new Plan(IDLE, List.of(Pair.postcopy(preempt)), true, ConnectionCutIT::still);
        long total;
        try (Pair pair = plan.begin("none")) {
            pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
            // PING 4 is the last; its PONG comes back.
            Pair.eventually("the source knows", () -> pair.source.info().downtimeMillis() >= 0);
            Pair.eventually(
                    "PONG 1, the first keep-alive's, 2, 3 and 4",
                    () -> pair.relay.stats().backBytes() >= 40);
            total = pair.relay.stats().forwardBytes();
        }
        TreeSet<Long> places = new TreeSet<>();
        add(places, preempt ? 7 : 0, total, 29);
        // The last byte of PACKAGED stands 9 bytes before the end: PING 4 follows.
        add(places, total - 9 - 4, total, 1);
        Map<Outcome, Integer> seen = cutAt(plan, "forward", places);
        assertThat(seen).containsKeys(Outcome.FAILED, Outcome.NEVER_RAN, Outcome.RECOVERED);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void switchToPostcopyBack(boolean preempt) throws Exception {
        Plan plan = new Plan(Pair.TINY, List.of(Pair.postcopy(preempt)), true, ConnectionCutIT::still);
        TreeSet<Long> places = new TreeSet<>();
        add(places, 0, 48, preempt ? 3 : 2);
        add(places, 48, 120, 9);
        Map<Outcome, Integer> seen = cutAt(plan, "back", places);
        assertThat(seen).containsKeys(Outcome.FAILED, Outcome.RECOVERED);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void postcopyPagesBothWays(boolean preempt) throws Exception {
        ChurnOptions busy = Pair.TINY.withWriters(2, 20_000);
        UnaryOperator<Parameters> onlyInPostcopy = p -> new Parameters(1, 0, 300, 0, 5000, 10_000, 60_000);
        Plan plan = new Plan(busy, List.of(Pair.postcopy(preempt)), true, onlyInPostcopy);
        TreeSet<Long> places = new TreeSet<>();
        add(places, 3_000, 2_100_000, 190_007);
        Map<Outcome, Integer> seen = cutAt(plan, "forward", places);
        assertThat(seen).containsKey(Outcome.RECOVERED);
        places.clear();
        add(places, 56, 250, 20);
        seen = cutAt(plan, "back", places);
        assertThat(seen).containsKey(Outcome.RECOVERED);
    }

    private static void add(Set<Long> places, long from, long to, long step) {
        for (long at = from; at < to; at += step) {
            places.add(at);
        }
        places.add(to);
    }

    private static Map<Outcome, Integer> cutAt(Plan plan, String direction, Set<Long> places) throws Exception {
        Map<Outcome, Integer> seen = new EnumMap<>(Outcome.class);
        for (long place : places) {
            String fault = direction + ":cut-after=" + place;
            try (Pair pair = plan.begin(fault)) {
                seen.merge(outcome(pair, fault), 1, Integer::sum);
            } catch (Exception | AssertionError e) {
                throw new AssertionError(fault + ", " + plan, e);
            }
        }
        System.out.println(direction + " " + places.size() + " places" + ": " + seen);
        return seen;
    }

    private static Outcome outcome(Pair pair, String fault) throws Exception {
        MigrationStatus atSource = pair.src.await(
                MigrationStatus.FAILED,
                MigrationStatus.POSTCOPY_PAUSED,
                MigrationStatus.UNCERTAIN,
                MigrationStatus.COMPLETED);
        pair.quiet();
        pair.guests.check();
        pair.fault("none");
        return switch (atSource) {
            case FAILED -> {
                pair.dst.await(begins(fault) ? MigrationStatus.FAILED : MigrationStatus.SETUP);
                again(pair);
                yield Outcome.FAILED;
            }
            case COMPLETED -> {
                pair.bothCompleted();
                pair.verifyDestination();
                yield Outcome.COMPLETED;
            }
            default -> {
                MigrationStatus there = pair.dst.await(
                        MigrationStatus.POSTCOPY_PAUSED, MigrationStatus.FAILED, MigrationStatus.COMPLETED);
                if (there != MigrationStatus.FAILED) {
                    pair.recoverAndVerify();
                    yield Outcome.RECOVERED;
                }
                neverRan(pair, fault);
                yield Outcome.NEVER_RAN;
            }
        };
    }

    /** Whether the destination gets enough to know that a migration begins: the stream's magic. */
    private static boolean begins(String fault) {
        return !fault.startsWith(FORWARD_CUT) || Long.parseLong(fault.substring(FORWARD_CUT.length())) >= MAGIC_BYTES;
    }

    /** The destination is asked, and says that it never got the guest: still it takes the operator's word to run it here again. */
    private static void neverRan(Pair pair, String fault) throws Exception {
        pair.source.migrate(pair.target, true);
        pair.src.await(MigrationStatus.UNCERTAIN);
        assertThat(pair.source.info().extra().uncertainWhy())
                .as(fault)
                .contains("the destination itself has said that it never got the guest");
        assertThat(pair.source.runState()).isEqualTo("finish-migrate");
        pair.source.migrateResolve(Owner.SOURCE);
        again(pair);
    }

    /** The guest runs at the source, and moves when it is told to once more. */
    private static void again(Pair pair) throws Exception {
        Pair.eventually("the guest runs here", pair.sourceGuest::isRunning);
        assertThat(pair.source.runState()).isEqualTo("running");
        assertThat(pair.destinationGuest.isRunning()).isFalse();
        assertThat(pair.source.info().errorDesc()).isNotBlank();
        if (pair.dst.status() == MigrationStatus.FAILED) {
            assertThat(pair.destination.info().errorDesc()).isNotBlank();
            pair.destination.migrateIncoming(pair.listen);
        }
        pair.parameters(Pair::fast);
        pair.source.migrate(pair.target, false);
        pair.bothCompleted();
        pair.verifyDestination();
    }
}
