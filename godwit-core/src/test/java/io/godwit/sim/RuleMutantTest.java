// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static io.godwit.sim.Mutants.broken;
import static io.godwit.sim.Mutants.destination;
import static io.godwit.sim.Mutants.rescue;
import static io.godwit.sim.Mutants.source;

import io.godwit.page.PageBitmap;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceInput;
import io.godwit.pump.MachineState;
import io.godwit.pump.MissingPages;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** As {@link MutantTest}, for the rest of the rules, each by its own words: by a random run, or by a story where chance would seldom get there before another rule. */
class RuleMutantTest {
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
}
