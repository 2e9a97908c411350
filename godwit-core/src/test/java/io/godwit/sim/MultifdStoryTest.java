// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.MultifdParameters;
import io.godwit.protocol.SourceInput;
import io.godwit.wire.MultifdCompression;
import io.godwit.wire.MultifdEncoder;
import io.godwit.wire.MultifdMessage;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pages on channels of their own, told step by step: what cuts, strangers and channels that never come do to a precopy, and what they don't do past it. */
class MultifdStoryTest {
    private static final Set<MigrationStatus> OVER =
            EnumSet.of(MigrationStatus.COMPLETED, MigrationStatus.FAILED, MigrationStatus.UNCERTAIN);
    private static final int CHANNELS = 2;
    /** More channels than blocks, so that a page's next copy takes another one: only then can it overtake. */
    private static final int CHANGING = 3;

    /** The old machine type has an even number of pages ({@link Setup#machine}). */
    private static Setup setup(MultifdCompression compression, boolean old, boolean postcopy) {
        return setup(compression, old, postcopy, CHANNELS);
    }

    private static Setup setup(MultifdCompression compression, boolean old, boolean postcopy, int channels) {
        MigrationOptions options = Story.options(true, postcopy, false)
                .withMultifd(MultifdParameters.DEFAULT.withChannels(channels).withCompression(compression));
        Setup setup = new Setup(
                Setup.blocks(6, old ? 10 : 11),
                options,
                options,
                Story.QUICK,
                Story.QUICK,
                true,
                2,
                20_000,
                0,
                SimStorage.Quality.NONE,
                false,
                true,
                Keeping.NONE);
        assertThat(setup.machine()).isEqualTo(old ? World.OLD_MACHINE : World.MACHINE);
        return setup;
    }

    /** So much slower than the others that whole passes would overtake it, were it not for the sync points. */
    private static final LinkPlan LATE = new LinkPlan(
            false, 50_000, 60_000, 1 << 20, 5 * Story.MILLIS, Story.MILLIS, PipeFault.NONE, PipeFault.NONE);

    @ParameterizedTest
    @CsvSource({"NONE,false", "NONE,true", "ZLIB,false", "ZLIB,true"})
    void aLateChannelsPagesAreNeverOvertaken(MultifdCompression compression, boolean old) {
        for (int late = 0; late < CHANGING; late++) {
            PageVersions versions = new PageVersions();
            Story story = Story.of(setup(compression, old, false, CHANGING), versions.seams());
            for (int channel = 0; channel < CHANGING; channel++) {
                story.nextPageChannel(channel == late ? LATE : LinkPlan.GOOD);
            }
            story.source(new SourceInput.Migrate()).completes();
            versions.inOrder();
            assertThat(versions.again()).as("pages that came again").isGreaterThan(10);
        }
    }

    @ParameterizedTest
    @CsvSource({"NONE,false", "NONE,true", "ZLIB,false", "ZLIB,true"})
    void completes(MultifdCompression compression, boolean old) {
        Story story = Story.of(setup(compression, old, false));
        story.source(new SourceInput.Migrate()).completes();
        var sent = Objects.requireNonNull(story.world.source().session()).stats();
        assertThat(story.world.destination().session().stats().multifdBytes())
                .as("bytes on the channels")
                .isEqualTo(sent.multifdBytes())
                .isGreaterThan(CHANNELS * MultifdEncoder.SYNC_SIZE * 3L);
    }

    /** Wherever one channel is cut, the guest goes on at the source or is moved whole; and the next attempt succeeds. */
    @ParameterizedTest
    @CsvSource({"NONE,false,0", "NONE,true,1", "ZLIB,false,1", "ZLIB,true,0"})
    void oneChannelIsCutAnywhere(MultifdCompression compression, boolean old, int victim) {
        int moved = 0;
        int stayed = 0;
        int again = 0;
        for (long at = 0; moved < 2; at += at < 3000 ? 67 : 1009) {
            boolean reset = at % 2 == 0;
            PageVersions versions = new PageVersions();
            Story story = Story.of(setup(compression, old, false, CHANGING), versions.seams());
            for (int channel = 0; channel < CHANGING; channel++) {
                // Half of the cuts meet a channel that is behind the others, half one that is ahead of them.
                LinkPlan plan = (channel == victim) == (at / 2 % 2 == 0) ? LATE : LinkPlan.GOOD;
                story.nextPageChannel(channel == victim ? plan.withForward(new PipeFault.Cut(at, reset)) : plan);
            }
            story.source(new SourceInput.Migrate());
            story.until(
                    "it is over at both ends",
                    () -> OVER.contains(story.sourceStatus()) && OVER.contains(story.destinationStatus()));
            versions.inOrder();
            again += versions.again();
            if (story.destinationStatus() == MigrationStatus.COMPLETED) {
                story.completes();
                moved++;
            } else {
                stayed++;
                tryAgain(story);
                versions.inOrder();
            }
        }
        assertThat(again).as("pages that came again before a cut").isGreaterThan(100);
        assertThat(stayed).as("cuts that hurt").isGreaterThan(20);
    }

    private static void tryAgain(Story story) {
        if (story.sourceStatus() == MigrationStatus.UNCERTAIN) {
            // The kernel had everything, and the network lost it: an operator asks both ends and knows.
            assertThat(story.world.fate()).isEqualTo(World.Fate.HERE);
            story.source(new SourceInput.ResolveHere());
        }
        assertThat(story.sourceStatus()).isEqualTo(MigrationStatus.FAILED);
        assertThat(story.world.source().guest().running())
                .as("the guest goes on")
                .isTrue();
        story.destination(new DestinationInput.Incoming());
        story.source(new SourceInput.Migrate()).completes();
    }

    @Test
    void aChannelThatIsNeverAcceptedIsNotWaitedForForEver() {
        Story story = Story.of(setup(MultifdCompression.NONE, false, false));
        story.nextPageChannel(LinkPlan.GOOD.withAcceptAfter(-1));
        story.source(new SourceInput.Migrate()).until(MigrationStatus.FAILED, MigrationStatus.FAILED);
        assertThat(story.world.destination().machine().error()).contains("only 1 of 2 channels have come");
        story.endsWith(Outcome.End.STAYED);
    }

    @Test
    void channelsThatAreFasterThanMainWait() {
        Story story = Story.of(setup(MultifdCompression.ZLIB, true, false));
        story.nextMain(LinkPlan.GOOD.withAcceptAfter(20 * Story.MILLIS));
        story.source(new SourceInput.Migrate()).completes();
    }

    /** Past the switch nothing comes on the channels: what becomes of them is no matter. */
    @Test
    void pastTheSwitchTheChannelsDontMatter() {
        Story story = Story.of(setup(MultifdCompression.NONE, false, true));
        story.inPostcopy();
        story.world.network().links().stream()
                .filter(link -> link.name().contains("multifd"))
                .forEach(link -> link.cut(true, "cut by the test"));
        story.completes();
        assertThat(story.told("postcopy-paused")).as("one of both paused").isFalse();
    }

    @Test
    void aRecoveryDoesWithoutThem() {
        Story story = Story.of(setup(MultifdCompression.ZLIB, true, true));
        story.paused();
        story.recoversAndCompletes();
        assertThat(story.told("#4 recovery: accepted"))
                .as("main, two channels, and then the recovery")
                .isTrue();
        assertThat(story.told("#5 ")).as("a fifth connection").isFalse();
    }

    // ---- strangers

    @Test
    void strangersAreDroppedAndTheMigrationCompletes() {
        UUID another = new UUID(4711, 4712);
        stranger("the channel of guest " + another, init(another, 0, 0));
        stranger("channel number 2, but multifd-channels is 2", init(MultifdMessage.Init.NO_UUID, 2, 0));
        stranger(
                "of version 77",
                b -> init(MultifdMessage.Init.NO_UUID, 0, 0).apply(b).putInt(4, 77));
    }

    private static UnaryOperator<ByteBuffer> init(UUID uuid, int id, int attempt) {
        return out -> {
            MultifdEncoder.init(new MultifdMessage.Init(uuid, id, attempt), out);
            return out;
        };
    }

    private static void stranger(String why, UnaryOperator<ByteBuffer> says) {
        Story story = Story.of(setup(MultifdCompression.NONE, false, false));
        story.nextMain(LinkPlan.GOOD.withRoom(1_500));
        story.source(new SourceInput.Migrate());
        story.until("it is active", () -> story.destinationStatus() == MigrationStatus.ACTIVE);
        Stray.says(
                story.world,
                says.apply(ByteBuffer.allocate(MultifdEncoder.INIT_SIZE)).flip());
        story.completes();
        assertThat(story.told(why)).as(why + story.told()).isTrue();
        assertThat(story.world.destination().session().stats().strays()).isEqualTo(1);
    }

    /** Somebody is a channel before the real one is: which of the two is the source's cannot be told, so neither is believed. */
    @Test
    void aChannelThatIsThereTwiceFailsThePrecopy() {
        Story story = Story.of(setup(MultifdCompression.NONE, false, false));
        story.nextPageChannel(LinkPlan.GOOD.withAcceptAfter(10 * Story.MILLIS));
        story.source(new SourceInput.Migrate());
        story.until("it is active", () -> story.destinationStatus() == MigrationStatus.ACTIVE);
        Stray.says(
                story.world,
                init(MultifdMessage.Init.NO_UUID, 0, 0)
                        .apply(ByteBuffer.allocate(MultifdEncoder.INIT_SIZE))
                        .flip());
        story.until(MigrationStatus.FAILED, MigrationStatus.FAILED).endsWith(Outcome.End.STAYED);
    }
}
