// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static io.godwit.protocol.MigrationStatus.ACTIVE;
import static io.godwit.protocol.MigrationStatus.COMPLETED;
import static io.godwit.protocol.MigrationStatus.FAILED;
import static io.godwit.protocol.MigrationStatus.POSTCOPY_ACTIVE;
import static io.godwit.protocol.MigrationStatus.POSTCOPY_PAUSED;
import static io.godwit.protocol.MigrationStatus.UNCERTAIN;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import io.godwit.store.StoreState;
import io.godwit.store.VmStore;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A Godwit with a store whose process ends on the way, told step by step, and what random runs have found there. */
class StoreStoryTest {
    private static Story story(Keeping.Where where, boolean postcopy) {
        return Story.of(Story.setup(Story.options(true, postcopy, false), Story.QUICK, 0)
                .withKeeping(Keeping.at(where)));
    }

    private static SimStore store(Story story) {
        SimEndpoint keeper = Objects.requireNonNull(story.world.keeper());
        return Objects.requireNonNull(keeper.store());
    }

    /** The process ends, and another one starts at once. */
    private static void restart(Story story, boolean machine) {
        SimEndpoint keeper = Objects.requireNonNull(story.world.keeper());
        story.world.lives().processEnds(keeper, machine, "as the test wants it");
        story.until("a new process is there", keeper::alive);
    }

    private static void recovers(Story story) {
        if (story.world.destination().state() instanceof DestinationState.Paused) {
            story.world.destination().awaitRecovery();
        }
        story.until(
                "the source has noticed",
                () -> story.sourceStatus() == POSTCOPY_PAUSED || story.sourceStatus() == UNCERTAIN);
        story.recoversAndCompletes();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aProcessThatParksIsKilledInPostcopyAndTheNextOneGoesOn(boolean machine) {
        Story story = story(Keeping.Where.DESTINATION, true).inPostcopy();
        restart(story, machine);
        assertThat(story.destinationStatus()).isEqualTo(POSTCOPY_PAUSED);
        recovers(story);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aProcessThatUnparksIsKilledInPostcopyAndTheNextOneGoesOn(boolean machine) {
        Story story = story(Keeping.Where.SOURCE, true);
        story.nextMain(LinkPlan.GOOD.withRoom(1_500)).source(new SourceInput.Migrate(true));
        story.until("the guest runs there", () -> story.destinationStatus() == POSTCOPY_ACTIVE);
        restart(story, machine);
        assertThat(story.sourceStatus()).isEqualTo(UNCERTAIN);
        story.until("the destination has noticed", () -> story.destinationStatus() == POSTCOPY_PAUSED);
        recovers(story);
    }

    /** At every call to the disk on the way: afterwards a sensible operator gets the guest to one place, whole. */
    @ParameterizedTest
    @CsvSource({"DESTINATION,false", "DESTINATION,true", "SOURCE,false", "SOURCE,true"})
    void theProcessEndsAtAnyCallToTheDisk(Keeping.Where where, boolean postcopy) {
        int struck = 0;
        for (int call = 0; ; call++) {
            Story story = story(where, postcopy);
            store(story).endsAtCall(call, call % 2 == 0);
            story.source(new SourceInput.Migrate(where == Keeping.Where.SOURCE && postcopy));
            if (postcopy) {
                story.world.source().operator(new SourceInput.StartPostcopy());
            }
            Rescue rescue = new Rescue(story.world, new SplittableRandom(call));
            rescue.begin();
            story.until("it is over", rescue::over);
            story.endsWith(story.world.destination().ran() ? Outcome.End.MOVED : Outcome.End.STAYED);
            boolean hit = story.world.faults().count(FaultKind.KILLED)
                            + story.world.faults().count(FaultKind.POWER)
                    > 0;
            if (!hit) {
                break;
            }
            struck++;
        }
        assertThat(struck).as("calls to the disk").isGreaterThan(20);
    }

    /** And after one event after another, the second time in the recovery of the first. */
    @ParameterizedTest
    @CsvSource({"DESTINATION,1", "DESTINATION,2", "SOURCE,1", "SOURCE,2"})
    void theProcessEndsAfterAnyEvent(Keeping.Where where, int deaths) {
        int struck = 0;
        for (int event = 0; ; event++) {
            Story story = story(where, true);
            for (int n = 0; n <= deaths; n++) {
                story.nextMain(LinkPlan.GOOD.withRoom(1_500));
            }
            SimEndpoint keeper = Objects.requireNonNull(story.world.keeper());
            story.source(new SourceInput.Migrate(where == Keeping.Where.SOURCE));
            story.world.source().operator(new SourceInput.StartPostcopy());
            Rescue rescue = new Rescue(story.world, new SplittableRandom(event));
            rescue.begin();
            int before = struck;
            for (int death = 0; death < deaths && !rescue.over(); death++) {
                long until = story.world.queue().done() + event;
                story.until(
                        "event " + event,
                        () -> rescue.over() || story.world.queue().done() >= until);
                if (!rescue.over()) {
                    story.world.lives().processEnds(keeper, event % 2 == 0, "after event " + event);
                    struck++;
                    story.until("a new process is there", keeper::alive);
                }
            }
            story.until("it is over, after event " + event, rescue::over);
            story.endsWith(story.world.destination().ran() ? Outcome.End.MOVED : Outcome.End.STAYED);
            if (struck == before) {
                break;
            }
        }
        assertThat(struck).as("deaths").isGreaterThan(100);
    }

    // ---- what random runs have found

    /** Found with seed 1088, as worlds were drawn then: it came as a defect, and the channels were given up for it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aDeviceStateThatCannotBeReadAtTheSwitchoverFailsTheMigration(boolean postcopy) {
        Story story = story(Keeping.Where.SOURCE, postcopy);
        story.source(new SourceInput.Migrate(postcopy));
        story.until("it is on disk that it leaves", () -> store(story).state() instanceof StoreState.Leaving);
        store(story).disk().vanished(true);
        story.until("the migration has failed", () -> story.sourceStatus() == FAILED);
        assertThat(Objects.requireNonNull(story.world.source().machine()).error())
                .contains("the device state cannot be read", "cannot reach");
        store(story).disk().vanished(false);
        restart(story, false);
        // The store could not say that it stays; an operator who looks at both ends can.
        assertThat(story.sourceStatus()).isEqualTo(UNCERTAIN);
        story.source(new SourceInput.ResolveHere());
        story.until("its store says so", () -> store(story).state() instanceof StoreState.Parked);
        story.endsWith(Outcome.End.STAYED);
    }

    /** Found with seed 3060, as worlds were drawn then: the store had everything and was started anew, so nobody was there who could answer, and the source could not be let go. */
    @Test
    void aSourceWhoseDestinationHasParkedEverythingCanBeLetGo() {
        Story story = story(Keeping.Where.DESTINATION, true).inPostcopy();
        story.world.network().silence(SimLink.ACCEPTOR);
        story.until("all is parked", () -> store(story).parked());
        story.source(new SourceInput.Pause());
        restart(story, false);
        assertThat(story.world.destination().keepsIt()).isTrue();
        story.destinationRefuses(new DestinationInput.AwaitRecovery(0), "a guest is parked here");
        assertThat(story.world.source().unsent()).isZero();
        story.source(new SourceInput.ResolveWhole(story.world.source().unsent()));
        assertThat(story.sourceStatus()).isEqualTo(COMPLETED);
    }

    /** Found with seed 5036350, as worlds were drawn then: that it leaves could not be made durable and was on disk all the same, and nobody wrote that it stays. */
    @Test
    void aDepartureThatCouldNotBeWrittenDownIsNotThereAfterAPowerLoss() {
        Story story = story(Keeping.Where.SOURCE, true);
        // The manifest is written; its folder is what cannot be synced.
        store(story).disk().failSyncs(1, 1);
        story.source(new SourceInput.Migrate(true));
        story.until("the migration has failed", () -> story.sourceStatus() == FAILED);
        assertThat(Objects.requireNonNull(story.world.source().machine()).error())
                .contains("the guest cannot leave");
        story.until("the disk is done", () -> store(story).idle());
        for (int n = 0; n < 20; n++) {
            SimDisk left = store(story).disk().asAfterPowerLoss(new SplittableRandom(n));
            try (VmStore found = SimStore.look(left)) {
                assertThat(Objects.requireNonNull(found.manifest()).state()).isEqualTo(new StoreState.Parked());
            }
        }
    }

    // ---- syncs that fail

    /** A sensible operator looks at both ends until it is over. */
    private static void endsInOnePlace(Story story, int seed) {
        Rescue rescue = new Rescue(story.world, new SplittableRandom(seed));
        rescue.begin();
        story.until("it is over", rescue::over);
        story.endsWith(story.world.destination().ran() ? Outcome.End.MOVED : Outcome.End.STAYED);
    }

    /** Each sync of a park, and those after it: the source has the guest or it is parked, never both, however the two are told of it. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 6})
    void someSyncsOfAParkFail(int failing) {
        int struck = 0;
        for (int good = 0; ; good++) {
            Story story = story(Keeping.Where.DESTINATION, false);
            SimDisk disk = store(story).disk();
            disk.failSyncs(good, failing);
            story.source(new SourceInput.Migrate(false));
            endsInOnePlace(story, good);
            if (disk.failedSyncs() == 0) {
                break;
            }
            struck++;
        }
        assertThat(struck).as("syncs").isGreaterThan(10);
    }

    /** That it is parked is on disk and not for sure, and so is that it is not: nobody is told either, and nothing is given up. */
    private static Story undecided() {
        for (int good = 0; ; good++) {
            Story story = story(Keeping.Where.DESTINATION, false);
            SimStore store = store(story);
            store.disk().failSyncs(good, 1_000);
            story.source(new SourceInput.Migrate(false));
            story.until(
                    "the source knows that it does not know",
                    () -> story.sourceStatus() == UNCERTAIN || story.sourceStatus() == FAILED);
            if (store.guest().undecided()) {
                return story;
            }
        }
    }

    @Test
    void aParkOfWhichTheDiskMaySayEitherHasFailedOnceTheDiskSaysSo() {
        Story story = undecided();
        assertThat(story.sourceStatus()).isEqualTo(UNCERTAIN);
        assertThat(story.destinationStatus()).isEqualTo(ACTIVE);
        store(story).disk().failSyncs(0, 0);
        story.until("the disk has taken it back", () -> story.destinationStatus() == FAILED);
        story.source(new SourceInput.Resume());
        story.until(
                "the source is told",
                () -> story.world.source().state() instanceof SourceState.Uncertain(var _, boolean neverRan)
                        && neverRan);
        story.source(new SourceInput.ResolveHere());
        story.endsWith(Outcome.End.STAYED);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aProcessThatEndsBeforeItsDiskHasDecidedLeavesAllOfItOrNothing(boolean machine) {
        Story story = undecided();
        store(story).disk().failSyncs(0, 0);
        restart(story, machine);
        if (!machine) {
            assertThat(store(story).parked()).isTrue();
        }
        endsInOnePlace(story, 1);
    }
}
