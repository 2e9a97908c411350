// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static io.godwit.sim.Mutants.broken;
import static io.godwit.sim.Mutants.destination;
import static io.godwit.sim.Mutants.rescue;
import static io.godwit.sim.Mutants.source;

import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import io.godwit.pump.Outbox;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** As {@link RuleMutantTest}, for channels, waits and refusals, and for a destination that does not survive a recovery. */
class WaitMutantTest {
    /** Nothing that a machine waits for ends. */
    private static final Parameters NEVER = new Parameters(0, 0, 300, 1_000_000_000, 0, 0, 0);

    // ---- channels and waits

    @Test
    void aDestinationThatKeepsItsChannel() {
        destination("the destination still holds", to -> new Mutants.Ground(to) {
            @Override
            public void abort(int connection, String reason) {}
        });
    }

    @Test
    void aHeldChannelThatIsClosed() {
        source("says that it holds the channel of a Recover, and has none", to -> new Mutants.Host(to) {
            private int main = -1;

            @Override
            public int connect(Channel channel) {
                int id = to.connect(channel);
                main = channel == Channel.MAIN ? id : main;
                return id;
            }

            @Override
            public void statusChanged(MigrationStatus from, MigrationStatus next, String reason) {
                super.statusChanged(from, next, reason);
                if (((SourceEnd) to).state() instanceof SourceState.Held) {
                    to.abort(main, "a bug");
                }
            }
        });
    }

    @Test
    void aHandshakeWithoutADeadline() {
        Story source = Story.postcopy().paused().nextMain(LinkPlan.GOOD.withAcceptAfter(-1));
        Objects.requireNonNull(source.world.source().session()).parameters(NEVER);
        broken(() -> source.source(new SourceInput.Resume()), "the source waits in RecoverSetup");

        Story destination =
                Story.postcopy().paused().nextMain(LinkPlan.GOOD.withForward(new PipeFault.Silence(20, true)));
        destination.world.destination().session().parameters(NEVER);
        destination.source(new SourceInput.Resume());
        broken(
                () -> destination.until("never", () -> destination.destinationStatus() == MigrationStatus.COMPLETED),
                "the destination waits in Recover");
    }

    @Test
    void aDeadlineThatIsSleptThrough() {
        Mutants.caught(
                Mutants.DEAF_SOURCE_IN_RECOVER,
                "a deadline has passed and nothing came of it: the source is in Recover",
                setup -> true);
        Mutants.caught(
                Mutants.DEAF_DESTINATION_IN_RECOVER, "a deadline has passed and nothing came of it", setup -> true);
    }

    @Test
    void aSilentPathThatIsNeverNoticed() {
        Story story = Story.postcopy().inPostcopy();
        Objects.requireNonNull(story.world.source().session()).parameters(NEVER);
        story.world.network().silence(2);
        rescue(story, "and no deadline ends it");
    }

    @Test
    void aLoopThatSpins() {
        Mutants.caught(
                Seams.NONE.withRestless(state -> state instanceof SourceState.Paused),
                "turns and turns",
                setup -> true);
    }

    @Test
    void aResumeThatIsNotHeard() {
        Mutants.caught(
                Seams.NONE.withDeafSource((state, input) -> input instanceof SourceInput.Resume),
                "nothing has ended it",
                setup -> setup.recoveries());
    }

    @Test
    void aQueueThatGrows() {
        Story story = Story.postcopy().inPostcopy();
        Outbox box = story.world.source().connections().stream()
                .map(conn -> story.world.source().outbox(conn.id))
                .filter(Objects::nonNull)
                .findFirst()
                .orElseThrow();
        for (int i = 0; i < 1024; i++) {
            box.append(new byte[4096]);
        }
        broken(story.world::check, "bytes for");
    }

    @Test
    void aCrowdThatIsNeverSentAway() {
        Seams seams = Seams.NONE.withDestinationHost(to -> new Mutants.Ground(to) {
            @Override
            public void abort(int connection, String reason) {}
        });
        Story story = Story.of(Story.setup(Story.options(true, true, false), Story.QUICK, 0), seams);
        broken(
                () -> {
                    for (int i = 0; i < 70; i++) {
                        Stray.says(story.world, ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5, 6, 7, 8}));
                        story.pass(1);
                    }
                },
                "the destination holds 65 connections");
    }

    // ---- refusals

    @Test
    void aRefusalWithoutAWord() {
        Mutants.caught(Seams.NONE.withRefusals(sentence -> ""), "without a word", setup -> true);
    }

    @Test
    void aRefusalThatChangesSomething() {
        AtomicReference<@Nullable Story> told = new AtomicReference<>();
        Seams seams = Seams.NONE.withRefusals(sentence -> {
            Story story = Objects.requireNonNull(told.get());
            long now = story.world.queue().now();
            story.world.destination().session().yank(now);
            Objects.requireNonNull(story.world.source().session()).yank(now);
            return sentence;
        });
        Story story = Story.of(Story.setup(Story.options(true, true, false), Story.QUICK, 0), seams);
        told.set(story);
        story.inPostcopy();
        broken(() -> story.sourceRefuses(new SourceInput.Cancel(), "recover"), "changed the source");

        Story other = Story.of(Story.setup(Story.options(true, true, false), Story.QUICK, 0), seams);
        told.set(other);
        other.inPostcopy();
        broken(() -> other.destinationRefuses(new DestinationInput.Incoming(), ""), "changed the destination");
    }

    // ---- a destination that does not survive a recovery

    /** What a destination of QEMU 7.2 comes to when its recovery's channel breaks: the process is gone. */
    @Test
    void aDestinationThatDiesOfItsRecovery() {
        destination("nothing has ended it", to -> new Mutants.Ground(to) {
            @Override
            public void statusChanged(MigrationStatus from, MigrationStatus next, String reason) {
                super.statusChanged(from, next, reason);
                if (from == MigrationStatus.POSTCOPY_RECOVER && next == MigrationStatus.POSTCOPY_PAUSED) {
                    end().die(false);
                }
            }
        });
    }

    /** And somebody starts it anew, with nothing. */
    @Test
    void aDestinationThatForgetsItsGuest() {
        Story story = Story.postcopy().paused();
        story.world.destination().ended();
        story.world.invariants().destinationBegins();
        rescue(story, "the source is paused for a destination in Idle");
    }

    @Test
    void anOperatorWhoLiesAboutTheMemory() {
        Story story = Story.postcopy().paused();
        story.source(new SourceInput.ResolveWhole(0));
        rescue(story, "the source has completed, and the destination is in Paused");
    }
}
