// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationStatus;
import io.godwit.pump.MachineState;
import io.godwit.pump.PageSink;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The invariants can fail: each deliberate bug is caught by a random run, and by the rule that is about it. */
class MutantTest {
    @Test
    void aRecoverThatTheSourceCannotLeave() {
        caught(Mutants.DEAF_SOURCE_IN_RECOVER, "Recover");
    }

    @Test
    void aRecoverThatTheDestinationCannotLeave() {
        caught(Mutants.DEAF_DESTINATION_IN_RECOVER, "Recover");
    }

    /** A destination that forgets a page in its bitmap gets it again. That is allowed; what must not be is that it takes it. */
    @Test
    void aPageThatComesAgainOverwritesWhatTheGuestWrote() {
        Story harmless = forgetful(false);
        harmless.recoversAndCompletes();
        assertThat(harmless.world.destination().session().stats().duplicates()).isPositive();

        Story harmful = forgetful(true);
        assertThatThrownBy(harmful::recoversAndCompletes)
                .hasMessageContaining("is not what the guest has written there");
    }

    private static Story forgetful(boolean overwriting) {
        AtomicReference<@Nullable Story> story = new AtomicReference<>();
        Seams seams = Seams.NONE.withSink(to -> new Mutants.Sink(to) {
            @Override
            public PageBitmap received(int block) {
                Story told = story.get();
                boolean asked = told != null && told.world.destination().state() instanceof DestinationState.Recover;
                return asked ? new PageBitmap(to.received(block).pages()) : to.received(block);
            }

            @Override
            public boolean place(int block, long page, ByteBuffer in, int position) {
                if (overwriting && to.received(block).get(page)) {
                    byte[] memory = ((SimMemory) to).array(((SimMemory) to).number(block, page));
                    in.get(position, memory, (int) page << Pages.SHIFT, Pages.SIZE);
                    return false;
                }
                return to.place(block, page, in, position);
            }
        });
        Story told = Story.of(
                Story.setup(Story.options(true, true, false), Story.QUICK, 0).withWriters(6), seams);
        story.set(told);
        told.inPostcopy().until("half of it is there", () -> told.missing() <= 8);
        told.world.network().cutAll(true);
        return told.until(MigrationStatus.POSTCOPY_PAUSED, MigrationStatus.POSTCOPY_PAUSED);
    }

    @Test
    void aPageCountsAsReceivedBeforeItIsThere() {
        caught(
                Seams.NONE.withSink(to -> new Mutants.Sink(to) {
                    private int placed;

                    @Override
                    public boolean place(int block, long page, ByteBuffer in, int position) {
                        return ++placed % 5 == 0 ? to.received(block).set(page) : to.place(block, page, in, position);
                    }
                }),
                "is not what the guest has written there");
    }

    @Test
    void aReceivedBitmapThatClaimsTooMuch() {
        caught(
                Seams.NONE.withSink(to -> new Mutants.Sink(to) {
                    private boolean postcopy;

                    @Override
                    public void beginPostcopy() {
                        postcopy = true;
                        to.beginPostcopy();
                    }

                    @Override
                    public PageBitmap received(int block) {
                        PageBitmap claimed = to.received(block).copy();
                        long absent = claimed.nextClear(0);
                        if (postcopy && absent >= 0) {
                            claimed.set(absent);
                        }
                        return claimed;
                    }
                }),
                "");
    }

    @Test
    void aDiscardThatIsForgotten() {
        caught(
                Seams.NONE.withSink(to -> new Mutants.Sink(to) {
                    @Override
                    public void discard(int block, long firstPage, long count) {}
                }),
                "counts as received when the guest starts, and it is stale");
    }

    @Test
    void aReceivedPageThatIsUnsaid() {
        caught(
                Seams.NONE.withSink(to -> new Mutants.Sink(to) {
                    @Override
                    public boolean placeZero(int block, long page) {
                        boolean fresh = to.placeZero(block, page);
                        to.received(block).clear(to.received(block).nextSet(0));
                        return fresh;
                    }
                }),
                "fewer received pages");
    }

    @Test
    void aDirtyMarkThatIsLost() {
        caught(
                Seams.NONE.withPages(to -> new Mutants.Source(to) {
                    @Override
                    public long harvestDirty(int block, PageBitmap dirty) {
                        PageBitmap all = new PageBitmap(dirty.pages());
                        to.harvestDirty(block, all);
                        long lost = all.nextSet(0);
                        long added = 0;
                        for (long page = all.nextSet(0); page >= 0; page = all.nextSet(page + 1)) {
                            added += page != lost && dirty.set(page) ? 1 : 0;
                        }
                        return added;
                    }
                }),
                "");
    }

    @Test
    void aSourceThatRunsItsGuestOnceTheDestinationHasIt() {
        caught(
                Seams.NONE.withSourceHost(to -> new Mutants.Host(to) {
                    @Override
                    public void statusChanged(MigrationStatus from, MigrationStatus next, String reason) {
                        super.statusChanged(from, next, reason);
                        if (next == MigrationStatus.POSTCOPY_PAUSED) {
                            to.resumeGuest();
                        }
                    }
                }),
                "the guest runs at both ends");
    }

    /** What QEMU does when only the final SHUT of a precopy is lost. */
    @Test
    void aSourceThatRunsItsGuestWhenTheLastWordIsLost() {
        caught(
                Seams.NONE.withSourceHost(to -> new Mutants.Host(to) {
                    @Override
                    public void statusChanged(MigrationStatus from, MigrationStatus next, String reason) {
                        super.statusChanged(from, next, reason);
                        if (from == MigrationStatus.DEVICE && next == MigrationStatus.UNCERTAIN) {
                            to.resumeGuest();
                        }
                    }
                }),
                "the guest runs at the source past the commit point");
    }

    @Test
    void aGuestThatIsNotStoppedForTheSwitchover() {
        caught(
                Seams.NONE.withSourceHost(to -> new Mutants.Host(to) {
                    @Override
                    public MachineState machineState() {
                        MachineState state = to.machineState();
                        to.resumeGuest();
                        return state;
                    }
                }),
                "");
    }

    @Test
    void aSourceThatFailsAndForgetsItsGuest() {
        caught(
                Seams.NONE.withSourceHost(to -> new Mutants.Host(to) {
                    @Override
                    public void resumeGuest() {}
                }),
                "the guest");
    }

    @Test
    void anOldDeviceState() {
        caught(
                Seams.NONE.withSourceHost(to -> new Mutants.Host(to) {
                    private @Nullable MachineState first;

                    @Override
                    public MachineState machineState() {
                        MachineState kept = first;
                        if (kept == null) {
                            kept = to.machineState();
                            first = kept;
                        }
                        return kept;
                    }
                }),
                "an old device state was loaded");
    }

    @Test
    void aPausedSideThatKeepsItsChannel() {
        caught(
                Seams.NONE.withSourceHost(to -> new Mutants.Host(to) {
                    @Override
                    public void abort(int connection, String reason) {}
                }),
                "holds");
    }

    @Test
    void aStatusThatIsNotTold() {
        caught(
                Seams.NONE.withSourceHost(to -> new Mutants.Host(to) {
                    @Override
                    public void statusChanged(MigrationStatus from, MigrationStatus next, String reason) {
                        if (next != MigrationStatus.POSTCOPY_RECOVER) {
                            super.statusChanged(from, next, reason);
                        }
                    }
                }),
                "the source is in postcopy-recover and said");
    }

    /** A store that says "parked" before its sync has ended. */
    @Test
    void aDiskThatIsNotWaitedFor() {
        caught(
                Seams.NONE.withIncoming(to -> new Mutants.Incoming(to) {
                    @Override
                    public void finish(boolean confirmed, Answer answer) {
                        answer.done();
                    }
                }),
                "its disk has not all of it");
        caught(
                Seams.NONE.withIncoming(to -> new Mutants.Incoming(to) {
                    @Override
                    public void load(MachineState state, boolean postcopy, boolean confirmed, Answer answer) {
                        answer.done();
                    }
                }),
                "its disk");
    }

    /** A failed sync has lost the pages, and the bitmap goes on claiming them. */
    @Test
    void aFailedSyncThatIsForgotten() {
        caught(
                Seams.NONE.withIncoming(to -> new Mutants.Incoming(to) {
                    @Override
                    public void mend(Answer answer) {
                        PageSink memory = to.memory();
                        PageBitmap[] claimed = new PageBitmap[memory.blocks().size()];
                        for (int block = 0; block < claimed.length; block++) {
                            claimed[block] = memory.received(block).copy();
                        }
                        to.mend(new Answer() {
                            @Override
                            public void done() {
                                for (int block = 0; block < claimed.length; block++) {
                                    for (int w = 0; w < claimed[block].wordCount(); w++) {
                                        memory.received(block).orWord(w, claimed[block].word(w));
                                    }
                                }
                                answer.done();
                            }

                            @Override
                            public void failed(String reason, boolean again) {
                                answer.failed(reason, again);
                            }

                            @Override
                            public void undecided(String reason) {
                                answer.undecided(reason);
                            }
                        });
                    }
                }),
                "");
    }

    private static void caught(Seams mutant, String words) {
        Mutants.caught(mutant, words, setup -> true);
    }
}
