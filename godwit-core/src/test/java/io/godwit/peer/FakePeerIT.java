// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.net.Address;
import io.godwit.qmp.QmpVersion;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a real QEMU does too rarely to wait for it. */
class FakePeerIT {
    private static final QmpVersion V7_2 = new QmpVersion(7, 2, 22, "fake");
    private static final QmpVersion V10_0 = new QmpVersion(10, 0, 13, "fake");
    private static final Duration LONG = Duration.ofSeconds(50);
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final Address NOWHERE = new Address.Tcp("127.0.0.1", 1);

    @TempDir
    Path folder;

    private FakeQemu fake(QmpVersion version) throws Exception {
        return new FakeQemu(new Address.Unix(folder.resolve("fake")), version);
    }

    private static QemuSource source(FakeQemu qemu) throws PeerException {
        return new QemuSource(QemuPeer.connect(qemu.address(), LONG));
    }

    private static QemuDestination destination(FakeQemu qemu) throws PeerException {
        return new QemuDestination(QemuPeer.connect(qemu.address(), LONG));
    }

    @ParameterizedTest
    @CsvSource({
        "completed, postmigrate, false, LEFT",
        "completed, paused, false, LEFT",
        "failed, running, true, RUNS_HERE",
        "cancelled, running, true, RUNS_HERE",
        "failed, finish-migrate, false, STOPPED_HERE",
        "failed, postmigrate, false, STOPPED_HERE",
        "postcopy-paused, finish-migrate, false, AWAITS_RECOVERY",
        "uncertain, finish-migrate, false, AWAITS_RECOVERY",
        "postcopy-active, finish-migrate, false, UNDECIDED",
        "failing, finish-migrate, false, UNDECIDED",
        "a-word-of-the-future, running, true, UNDECIDED",
        "none, running, true, REPLACED"
    })
    void aSourceIsJudgedByItsStatusFirst(String status, String runState, boolean running, SourceVerdict.Fate fate)
            throws Exception {
        try (FakeQemu qemu = fake(V10_0)) {
            QemuSource source = source(qemu);
            source.migrate(NOWHERE);
            qemu.says(status, runState, running);

            SourceVerdict verdict = source.verdict(Duration.ofMillis(1500));

            assertThat(verdict.fate()).as("%s", verdict).isEqualTo(fate);
            assertThat(verdict.sentence()).startsWith("QEMU 10.0.13 at 'unix:");
            source.peer().close();
        }
    }

    /** A 7.2 that is told to migrate while the threads of a failed migration still run crashes, and its guest with it. */
    @Test
    void aSourceIsLeftAloneUntilItIsDoneWithItsLastMigration() throws Exception {
        try (FakeQemu qemu = fake(V7_2)) {
            QemuSource source = source(qemu);
            MigrationTerms nothing = new MigrationTerms(Set.of(), Map.of());
            source.prepare(nothing);
            assertThat(qemu.commands).isEmpty();

            qemu.says("failed", "running", true).isNotDoneFor(3);
            source.prepare(nothing);
            assertThat(qemu.commands).containsExactly("query-yank", "query-yank", "query-yank", "query-yank");

            qemu.isNotDoneFor(Integer.MAX_VALUE);
            assertThatThrownBy(() -> source.prepare(nothing))
                    .isInstanceOfSatisfying(
                            PeerException.class, e -> assertThat(e.kind()).isEqualTo(PeerException.Kind.REFUSED))
                    .hasMessageContaining("is not done with the migration it had before")
                    .hasMessageContaining("no migration can take it away");
            source.peer().close();
        }
    }

    /** A Godwit that lost its channel right after it gave its guest away: the destination may have it, and only a recovery tells. */
    @ParameterizedTest
    @CsvSource({"uncertain, true", "postcopy-paused, true", "postcopy-active, false", "failed, false"})
    void aSourceThatWaitsForARecoveryIsResumed(String status, boolean waits) throws Exception {
        try (FakeQemu qemu = fake(V10_0)) {
            QemuSource source = source(qemu);
            qemu.says(status, "finish-migrate", false);
            if (waits) {
                source.resume(NOWHERE);
                assertThat(qemu.commands).containsExactly("migrate " + NOWHERE);
            } else {
                assertThatThrownBy(() -> source.resume(NOWHERE)).hasMessageContaining("nothing to recover");
            }
            source.peer().close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "setup, inmigrate, false, WAITS",
        "active, inmigrate, false, UNDECIDED",
        "failed, inmigrate, false, FAILED",
        "completed, running, true, RUNS_HERE",
        "completed, paused, false, STOPPED_HERE",
        "completed, postmigrate, false, MOVED_ON",
        "setup, running, true, MOVED_ON",
        "postcopy-paused, running, true, AWAITS_RECOVERY",
        "postcopy-active, running, true, UNDECIDED",
        "postcopy-device, inmigrate, false, UNDECIDED",
        "none, running, true, REPLACED",
        "none, inmigrate, false, REPLACED"
    })
    void aDestinationIsJudgedByWhetherItStillWaits(
            String status, String runState, boolean running, DestinationVerdict.Fate fate) throws Exception {
        try (FakeQemu qemu = fake(V10_0).says("setup", "inmigrate", false).listens(4711)) {
            QemuDestination destination = destination(qemu);
            assertThat(destination.listen(Journey.ANY_PORT)).isEqualTo(new Address.Tcp("127.0.0.1", 4711));
            assertThat(qemu.commands).singleElement().asString().contains("\"exit-on-error\":false");
            qemu.says(status, runState, running);

            DestinationVerdict verdict = destination.verdict(SHORT);

            assertThat(verdict.fate()).as("%s", verdict).isEqualTo(fate);
            assertThat(verdict.mayHaveRun()).isEqualTo(running || !runState.equals("inmigrate"));
            destination.peer().close();
        }
    }

    /** As destination it is known by its address: without one it is a source that has failed, and its guest is here. */
    @ParameterizedTest
    @CsvSource({"running, true", "paused, false"})
    void aDestinationThatGaveUpIsToldFromASourceThatFailed(String runState, boolean running) throws Exception {
        try (FakeQemu qemu = fake(V10_0).says("setup", "inmigrate", false).listens(4711)) {
            QemuDestination destination = destination(qemu);
            destination.listen(Journey.ANY_PORT);

            qemu.says("failed", runState, running).listens(4711);
            DestinationVerdict verdict = destination.verdict(LONG);
            assertThat(verdict.fate()).as("%s", verdict).isEqualTo(DestinationVerdict.Fate.GAVE_UP);
            assertThat(verdict.provesThatItArrived()).isFalse();
            assertThat(verdict.provesThatItNeverCame()).isFalse();
            assertThat(verdict.mayHaveRun()).isTrue();

            qemu.says("failed", runState, running);
            assertThat(destination.verdict(SHORT).fate()).isEqualTo(DestinationVerdict.Fate.UNDECIDED);
            destination.peer().close();
        }
    }

    /** One that has just paused may hold its port a moment longer. */
    @Test
    void aRecoveryThatIsRefusedForAMomentIsAskedForAgain() throws Exception {
        try (FakeQemu qemu =
                fake(V10_0).says("postcopy-paused", "running", true).listens(4711)) {
            QemuDestination destination = destination(qemu);
            qemu.refusesRecoveries(2);
            assertThat(destination.recover(NOWHERE)).isEqualTo(new Address.Tcp("127.0.0.1", 4711));
            assertThat(qemu.commands).hasSize(3);

            qemu.refusesRecoveries(Integer.MAX_VALUE);
            assertThatThrownBy(() -> destination.recover(NOWHERE))
                    .isInstanceOfSatisfying(
                            PeerException.class, e -> assertThat(e.kind()).isEqualTo(PeerException.Kind.REFUSED))
                    .hasMessageContaining("refuses 'migrate-recover': not yet");
            destination.peer().close();
        }
    }

    /** Its port was taken when it was told to. */
    @Test
    void aDestinationThatCouldNotListenIsToBeStartedAnew() throws Exception {
        try (FakeQemu qemu = fake(V10_0).says("setup", "inmigrate", false)) {
            QemuDestination destination = destination(qemu);
            assertThatThrownBy(() -> destination.prepare(MigrationTerms.postcopy()))
                    .hasMessageContaining("was told to listen once and could not")
                    .hasMessageContaining("start it anew with -incoming defer");
            destination.peer().close();
        }
    }

    @Test
    void a72WaitsWithoutAStatusButWithAnAddress() throws Exception {
        try (FakeQemu qemu = fake(V7_2).says("none", "inmigrate", false).listens(4711)) {
            QemuDestination destination = destination(qemu);
            destination.listen(Journey.ANY_PORT);
            assertThat(qemu.commands).singleElement().asString().doesNotContain("exit-on-error");
            assertThat(destination.verdict(SHORT).fate()).isEqualTo(DestinationVerdict.Fate.WAITS);
            destination.peer().close();
        }
    }

    @Test
    void aGuestThatIsStartedAgainALittleAfterTheFailureIsNotTakenForStopped() throws Exception {
        try (FakeQemu qemu = fake(V10_0).says("failed", "finish-migrate", false)) {
            QemuSource source = source(qemu);
            CompletableFuture<SourceVerdict> verdict = CompletableFuture.supplyAsync(() -> {
                try {
                    return source.verdict(LONG);
                } catch (PeerException e) {
                    throw new AssertionError(e);
                }
            });
            assertThat(verdict.copy()
                            .completeOnTimeout(null, 200, TimeUnit.MILLISECONDS)
                            .join())
                    .isNull();

            qemu.says("failed", "running", true);
            qemu.happens("RESUME", "none", "none");

            assertThat(verdict.get(50, TimeUnit.SECONDS).fate()).isEqualTo(SourceVerdict.Fate.RUNS_HERE);
            source.peer().close();
        }
    }

    @Test
    void oneThatEndsWithoutHavingRunNeverHadTheGuestAndAfterAGapNobodyKnows() throws Exception {
        FakeQemu first = fake(V10_0).says("setup", "inmigrate", false);
        QemuDestination surely = destination(first);
        first.ends();
        DestinationVerdict verdict = surely.verdict(LONG);
        assertThat(verdict.fate()).isEqualTo(DestinationVerdict.Fate.GONE);
        assertThat(verdict.provesThatItNeverCame()).isTrue();

        FakeQemu second = fake(V10_0).says("setup", "inmigrate", false);
        QemuDestination perhaps = destination(second);
        second.losesItsClients();
        assertThat(perhaps.verdict(Duration.ZERO).fate()).isNotEqualTo(DestinationVerdict.Fate.GONE);
        assertThat(perhaps.verdict(SHORT).fate()).isEqualTo(DestinationVerdict.Fate.WAITS);
        second.ends();
        assertThat(perhaps.verdict(LONG).fate()).isEqualTo(DestinationVerdict.Fate.GONE);
        assertThat(perhaps.verdict(LONG).provesThatItNeverCame()).isFalse();
    }

    /** Its guest stands because of an error: whether it has run is not to be seen. */
    @Test
    void oneThatWasToldByAnotherProcessMayHaveRunBeforeThisOneLooked() throws Exception {
        FakeQemu qemu = fake(V10_0).says("postcopy-paused", "io-error", false);
        QemuDestination destination = QemuDestination.joined(QemuPeer.connect(qemu.address(), LONG));
        assertThat(destination.verdict(LONG).fate()).isEqualTo(DestinationVerdict.Fate.AWAITS_RECOVERY);
        qemu.says("none", "inmigrate", false);
        assertThat(destination.verdict(LONG).fate()).as("another process").isEqualTo(DestinationVerdict.Fate.REPLACED);
        qemu.ends();
        assertThat(destination.verdict(LONG).provesThatItNeverCame()).isFalse();
    }

    @Test
    void oneThatSaysItResumedAndEndsHasRunThoughNobodySawIt() throws Exception {
        FakeQemu qemu = fake(V10_0).says("active", "inmigrate", false);
        QemuDestination destination = destination(qemu);
        qemu.happens("RESUME", "none", "none");
        destination.peer().await(_ -> !destination.peer().history().words().isEmpty(), "heard of", LONG);
        qemu.ends();

        DestinationVerdict verdict = destination.verdict(LONG);

        assertThat(verdict.fate()).isEqualTo(DestinationVerdict.Fate.GONE);
        assertThat(verdict.provesThatItNeverCame()).isFalse();
    }

    @Test
    void aRefusedPortIsNoProofUnlessItSaidGoodbye() throws Exception {
        FakeQemu silent = new FakeQemu(Journey.ANY_PORT, V10_0);
        QemuSource one = source(silent);
        silent.ends();
        SourceVerdict unknown = one.verdict(SHORT);
        assertThat(unknown.fate()).as("%s", unknown).isEqualTo(SourceVerdict.Fate.UNREACHABLE);
        assertThat(unknown.provesThatItLeft()).isFalse();

        FakeQemu polite = new FakeQemu(Journey.ANY_PORT, V10_0);
        QemuSource two = source(polite);
        polite.happens("SHUTDOWN", "reason", "guest-panic");
        two.peer().await(_ -> two.peer().history().goodbye() != null, "told of its end", LONG);
        polite.ends();
        SourceVerdict gone = two.verdict(LONG);
        assertThat(gone.fate()).as("%s", gone).isEqualTo(SourceVerdict.Fate.GONE);
        assertThat(gone.sentence()).contains("guest-panic");
    }

    @Test
    void silenceEndsWithTheDeadlineAndACloseEndsItAtOnce() throws Exception {
        try (FakeQemu qemu = fake(V10_0)) {
            QemuSource source = new QemuSource(QemuPeer.connect(qemu.address(), Duration.ofSeconds(2)));
            qemu.fallsSilent();
            SourceVerdict verdict = source.verdict(SHORT);
            assertThat(verdict.fate()).as("%s", verdict).isEqualTo(SourceVerdict.Fate.UNREACHABLE);
            assertThat(verdict.sentence()).contains("did not answer 'query-migrate' within 2000 ms");

            QemuPeer patient = QemuPeer.connect(qemu.address(), LONG);
            CompletableFuture<PeerState> state = CompletableFuture.supplyAsync(() -> {
                try {
                    return patient.await(_ -> false, "anything", LONG);
                } catch (PeerException e) {
                    throw new IllegalStateException(e.getMessage(), e);
                }
            });
            patient.close();
            assertThatThrownBy(() -> state.get(20, TimeUnit.SECONDS)).hasMessageContaining("was closed here");
            assertThatThrownBy(patient::state).hasMessageContaining("was closed here");
        }
    }

    @Test
    void anotherMachineAtTheSameAddressIsNotTakenForTheFirst() throws Exception {
        FakeQemu first = fake(V10_0);
        QemuSource source = source(first);
        first.ends();
        try (FakeQemu second = new FakeQemu(first.address(), V10_0, "pc-i440fx-9.9")) {
            SourceVerdict verdict = source.verdict(LONG);
            assertThat(verdict.fate()).as("%s", verdict).isEqualTo(SourceVerdict.Fate.REPLACED);
            assertThat(verdict.sentence()).contains("another QEMU").contains("pc-i440fx-9.9");
            assertThatThrownBy(() -> source.migrate(NOWHERE))
                    .isInstanceOfSatisfying(
                            PeerException.class, e -> assertThat(e.kind()).isEqualTo(PeerException.Kind.LOST));
            assertThat(second.commands).isEmpty();
        }
    }

    @Test
    void anAnswerThatIsNotUnderstoodIsTheOthersFaultAndNamed() throws Exception {
        try (FakeQemu qemu = fake(V10_0).answers("{\"status\":7}")) {
            QemuPeer peer = QemuPeer.connect(qemu.address(), LONG);
            assertThatThrownBy(peer::state)
                    .isInstanceOfSatisfying(
                            PeerException.class, e -> assertThat(e.kind()).isEqualTo(PeerException.Kind.NOT_UNDERSTOOD))
                    .hasMessageContaining("member 'status' must be a string");
            qemu.answers("{\"socket-address\":[{\"type\":\"inet\",\"host\":\"h\",\"port\":\"99999\"}]}");
            assertThatThrownBy(peer::state).hasMessageContaining("port 99999 is out of range");
            qemu.answers("{\"status\":\"setup\",\"socket-address\":[{\"type\":\"vsock\"}]}");
            assertThat(peer.state().listening()).isNull();
            peer.close();
        }
    }

    @Test
    void aPostcopyIsNeitherCancelledNorContinued() throws Exception {
        try (FakeQemu qemu = fake(V7_2).says("postcopy-active", "finish-migrate", false)) {
            QemuSource source = source(qemu);
            assertThatThrownBy(source::cancel).hasMessageContaining("cannot be cancelled");
            assertThatThrownBy(source::cont).hasMessageContaining("it would run twice");
            assertThat(qemu.commands).isEmpty();
            assertThat(source.verdict(SHORT).sentence()).contains("for ever");

            qemu.says("failed", "finish-migrate", false);
            source.cont();
            assertThat(qemu.commands).containsExactly("cont");
            source.peer().close();
        }
    }

    @Test
    void aGuestFitsIntoTheSameMachineOfTheSameOrANewerVersion() {
        PeerVersion v10 = new PeerVersion(10, 0, 13, "");
        PeerIdentity origin = new PeerIdentity(v10, "pc-i440fx-9.2", 1 << 30, "u");
        assertThat(origin.obstacles(origin)).isEmpty();
        assertThat(new PeerIdentity(new PeerVersion(10, 0, 1, "x"), "pc-i440fx-9.2", 1 << 30, PeerIdentity.NO_UUID)
                        .obstacles(origin))
                .isEmpty();
        assertThat(new PeerIdentity(new PeerVersion(11, 0, 0, ""), "pc-i440fx-9.2", 1 << 30, "u").obstacles(origin))
                .isEmpty();

        assertThat(new PeerIdentity(new PeerVersion(9, 2, 50, ""), "pc-q35-9.2", 1 << 29, "v").obstacles(origin))
                .hasSize(4)
                .anyMatch(sentence -> sentence.contains("-machine pc-i440fx-9.2"))
                .anyMatch(sentence -> sentence.contains("the older 9.2.50"))
                .anyMatch(sentence -> sentence.contains("-m 1073741824B"))
                .anyMatch(sentence -> sentence.contains("this place is for v"));
        assertThat(new PeerVersion(8, 1, 5, "").mayBe72()).isTrue();
        assertThat(new PeerVersion(8, 2, 0, "").mayBe72()).isFalse();
    }
}
