// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.PageBitmap;
import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import io.godwit.pump.DestinationHost;
import io.godwit.pump.MachineState;
import io.godwit.pump.MissingPages;
import io.godwit.pump.Outbox;
import io.godwit.pump.SourceHost;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** As {@link MutantTest}, for the rest of the rules, each by its own words: by a random run, or by a story where chance would seldom get there before another rule. */
class RuleMutantTest {
    /** Nothing that a machine waits for ends. */
    private static final Parameters NEVER = new Parameters(0, 0, 300, 1_000_000_000, 0, 0, 0);

    // ---- what an end says

    @Test
    void aSourceThatFailsPastItsCommitPoint() {
        told(
                MigrationStatus.DEVICE,
                MigrationStatus.UNCERTAIN,
                MigrationStatus.FAILED,
                "after the commit point, and no operator said so");
    }

    @Test
    void aSourceThatTakesItselfForDone() {
        told(
                MigrationStatus.DEVICE,
                MigrationStatus.UNCERTAIN,
                MigrationStatus.COMPLETED,
                "the source has completed, and the destination has no guest");
    }

    @Test
    void aStatusThatIsInNoTable() {
        told(
                MigrationStatus.POSTCOPY_ACTIVE,
                MigrationStatus.POSTCOPY_PAUSED,
                MigrationStatus.FAILED,
                "and may become");
    }

    private static void told(MigrationStatus from, MigrationStatus next, MigrationStatus instead, String words) {
        source(words, to -> new Mutants.Host(to) {
            @Override
            public void statusChanged(MigrationStatus before, MigrationStatus after, String reason) {
                super.statusChanged(before, before == from && after == next ? instead : after, reason);
            }
        });
    }

    @Test
    void aStatusOfTheDestinationThatIsNotTold() {
        destination("and said", to -> new Mutants.Ground(to) {
            @Override
            public void statusChanged(MigrationStatus from, MigrationStatus next, String reason) {
                if (next != MigrationStatus.POSTCOPY_RECOVER) {
                    super.statusChanged(from, next, reason);
                }
            }
        });
    }

    @Test
    void aSourceThatIsNoLongerPastItsCommitPoint() {
        Seams seams = Seams.NONE.withSourceHost(to -> new Mutants.Host(to) {
            @Override
            public void statusChanged(MigrationStatus from, MigrationStatus next, String reason) {
                if (next != MigrationStatus.FAILED) {
                    super.statusChanged(from, next, reason);
                }
            }

            @Override
            public void resumeGuest() {}
        });
        Story story = Story.of(Story.setup(Story.options(true, false, false), Story.QUICK, 0), seams)
                .nextMain(LinkPlan.GOOD.withBackward(new PipeFault.Silence(16, true)));
        story.source(new SourceInput.Migrate());
        story.until("the last word is lost", () -> story.sourceStatus() == MigrationStatus.UNCERTAIN);
        Objects.requireNonNull(story.world.source().session())
                .operator(new SourceInput.ResolveHere(), story.world.queue().now());
        broken(story.world::check, "was past the commit point and no longer is");
    }

    // ---- guests

    @Test
    void aDestinationThatNeverStartsItsGuest() {
        destination("the destination has completed without a guest", to -> new Mutants.Ground(to) {
            @Override
            public void startGuest() {}
        });
    }

    @Test
    void aSourceThatRunsItsGuestBehindTheDestinationsBack() {
        source("the guest runs at the source after it had started at the destination", to -> new Mutants.Host(to) {
            @Override
            public void statusChanged(MigrationStatus from, MigrationStatus next, String reason) {
                super.statusChanged(from, next, reason);
                if (next == MigrationStatus.POSTCOPY_PAUSED || next == MigrationStatus.COMPLETED) {
                    SimGuest guest = ((SourceEnd) to).guest();
                    guest.holder(SimGuest.Holder.HERE);
                    guest.want(true);
                }
            }
        });
    }

    @Test
    void aGuestThatStandsWhereItRan() {
        source("at its source, and", to -> new Mutants.Host(to) {
            @Override
            public MachineState machineState() {
                SourceEnd end = (SourceEnd) to;
                MachineState real = to.machineState();
                return end.store() != null
                        ? real
                        : new MachineState(
                                real.early(),
                                end.world.devices().save(!end.guest().wanted()),
                                real.description());
            }
        });
    }

    @Test
    void aGuestThatIsGivenBackAndStaysStopped() {
        source("does not run at the end", to -> new Mutants.Host(to) {
            @Override
            public void resumeGuest() {
                ((SourceEnd) to).guest().holder(SimGuest.Holder.HERE);
            }
        });
    }

    @Test
    void aGuestThatNobodyGivesBack() {
        source("the guest should be the source's at the end", to -> new Mutants.Host(to) {
            @Override
            public void resumeGuest() {}
        });
    }

    @Test
    void aRequestThatIsNeverSent() {
        Seams seams = Seams.NONE.withIncoming(to -> new Mutants.Incoming(to) {
            @Override
            public MissingPages missingPages() {
                return MissingPages.NONE;
            }
        });
        Story story = Story.of(
                Story.setup(Story.options(true, true, false), Story.QUICK, 0).withWriters(6), seams);
        story.inPostcopy();
        Parameters slow = new Parameters(0, 1, 300, 1_000_000_000, 400, 400, 50);
        story.world.source().parameters(slow);
        rescue(story, "has waited for its page for more than 8 s");
    }

    // ---- pages

    @Test
    void aBitmapThatClaimsAPageThatIsMissing() {
        Mutants.caught(
                Seams.NONE.withSink(to -> new Mutants.Sink(to) {
                    @Override
                    public PageBitmap received(int block) {
                        PageBitmap claimed = to.received(block).copy();
                        long absent = claimed.nextClear(0);
                        if (absent >= 0) {
                            claimed.set(absent);
                        }
                        return claimed;
                    }
                }),
                "is not at the destination when it completed",
                setup -> !setup.guestRuns());
    }

    @Test
    void aPageThatIsPlacedWrong() {
        Mutants.caught(
                Seams.NONE.withSink(to -> new Mutants.Sink(to) {
                    @Override
                    public boolean place(int block, long page, ByteBuffer in, int position) {
                        return to.placeZero(block, page);
                    }
                }),
                "was received, and it is not what the source had at the switchover",
                setup -> true);
    }

    @Test
    void aPageThatIsStoredInPostcopy() {
        Mutants.caught(
                Seams.NONE.withSink(to -> new Mutants.Sink(to) {
                    @Override
                    public boolean place(int block, long page, ByteBuffer in, int position) {
                        to.store(block, page, in, position);
                        return true;
                    }
                }),
                "a page stored after postcopy had begun",
                setup -> setup.keeping().where() == Keeping.Where.NOWHERE);
    }

    @Test
    void aByteThatIsWrongInTheEnd() {
        source("is wrong at the source at the end", to -> new Mutants.Host(to) {
            @Override
            public void resumeGuest() {
                damage(((SourceEnd) to).memory());
                to.resumeGuest();
            }
        });
        destination("is wrong at the destination at the end", to -> new Mutants.Ground(to) {
            @Override
            public void statusChanged(MigrationStatus from, MigrationStatus next, String reason) {
                super.statusChanged(from, next, reason);
                if (next == MigrationStatus.COMPLETED) {
                    damage(end().memory());
                }
            }
        });
    }

    /** Where a quick look at a page does not look. */
    private static void damage(SimMemory memory) {
        memory.array(0)[memory.offset(0) + 2000] ^= 1;
    }

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

    // ---- how they are told

    private static void source(String words, UnaryOperator<SourceHost> bug) {
        Mutants.caught(Seams.NONE.withSourceHost(bug), words, setup -> true);
    }

    private static void destination(String words, UnaryOperator<DestinationHost> bug) {
        Mutants.caught(Seams.NONE.withDestinationHost(bug), words, setup -> true);
    }

    /** The sensible operator goes on from here, and cannot. */
    private static void rescue(Story story, String words) {
        Rescue rescue = new Rescue(story.world, new SplittableRandom(1));
        broken(
                () -> {
                    rescue.begin();
                    story.until("it is over", rescue::over);
                },
                words);
    }

    private static void broken(Runnable action, String words) {
        assertThatThrownBy(action::run).hasMessageContaining(words);
    }
}
