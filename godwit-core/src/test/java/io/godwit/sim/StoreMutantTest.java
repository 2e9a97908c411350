// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.guest.DiskWorks;
import io.godwit.guest.ParkedGuest;
import io.godwit.page.PageBitmap;
import io.godwit.pump.Arrival;
import io.godwit.pump.Departure;
import io.godwit.pump.MachineState;
import io.godwit.pump.PageSink;
import io.godwit.pump.StorageException;
import java.nio.ByteBuffer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The rules about a store's disk can fail: each deliberate bug of a store is caught by a random run with one, and by the rule that is about it. */
class StoreMutantTest {
    private static boolean parks(Setup setup) {
        return setup.keeping().where() == Keeping.Where.DESTINATION;
    }

    private static boolean unparks(Setup setup) {
        return setup.keeping().where() == Keeping.Where.SOURCE;
    }

    // ---- it comes

    @Test
    void aHandOverThatIsNotWrittenDown() {
        parks(
                "says that it has the guest, and after a power loss its disk would say receiving",
                to -> new StoreMutants.Parked(to) {
                    @Override
                    public void handOver(MachineState state) {
                        sinkNow().beginPostcopy();
                    }
                });
    }

    @Test
    void aWholeGuestThatIsNotWrittenDown() {
        parks("says that it has everything, and after a power loss", to -> new StoreMutants.Parked(to) {
            @Override
            public void park(@Nullable MachineState state, boolean confirmed) {
                if (state != null) {
                    to.park(state, confirmed);
                }
            }
        });
    }

    @Test
    void aParkThatIsSaidToHaveFailedAndIsWrittenDown() {
        parks(
                "says that it has failed, and after a power loss its disk would say parked",
                to -> new StoreMutants.Parked(to) {
                    @Override
                    public void park(@Nullable MachineState state, boolean confirmed) {
                        to.park(state, confirmed);
                        if (state != null) {
                            throw new StorageException("the last sync has failed");
                        }
                    }

                    @Override
                    public void reset() {
                        // The store would not let go of it.
                    }
                });
    }

    @Test
    void aHandOverBeforeAnythingHasCome() {
        parks(
                "the guest runs at the source, and the destination's store says receiving-postcopy",
                to -> new StoreMutants.Parked(to) {
                    @Override
                    public @Nullable String receive(Arrival arrival, DiskWorks works) {
                        String wrong = super.receive(arrival, works);
                        to.handOver(new MachineState(new byte[0], new byte[0], new byte[0]));
                        return wrong;
                    }
                });
    }

    @Test
    void aPageThatIsStoredWrong() {
        parks("is not what the guest had", sinks(to -> new Mutants.Sink(to) {
            @Override
            public void store(int block, long page, ByteBuffer in, int position) {
                to.storeZero(block, page);
            }
        }));
        parks("was received, and does not have it", sinks(to -> new Mutants.Sink(to) {
            @Override
            public boolean place(int block, long page, ByteBuffer in, int position) {
                return to.placeZero(block, page);
            }
        }));
    }

    @Test
    void aFreshPageThatIsTakenForAnOldOne() {
        parks("was received before, but it was not", sinks(to -> new Mutants.Sink(to) {
            @Override
            public boolean place(int block, long page, ByteBuffer in, int position) {
                return !to.place(block, page, in, position);
            }
        }));
    }

    @Test
    void aBitmapThatClaimsWhatHasNotCome() {
        parks("the store claims pages that have not come", sinks(to -> new Mutants.Sink(to) {
            @Override
            public boolean placeZero(int block, long page) {
                boolean fresh = to.placeZero(block, page);
                PageBitmap received = to.received(block);
                long absent = received.nextClear(0);
                if (absent >= 0) {
                    received.set(absent);
                }
                return fresh;
            }
        }));
    }

    @Test
    void aCheckpointThatForgetsAPage() {
        parks("the store has fewer received pages than before", to -> new StoreMutants.Parked(to) {
            @Override
            public void checkpoint() {
                to.checkpoint();
                if (to.phase() instanceof ParkedGuest.Interrupted) {
                    PageBitmap received = sinkNow().received(0);
                    received.clear(Math.max(0, received.nextSet(0)));
                }
            }
        });
    }

    // ---- it goes

    @Test
    void aDepartureThatIsNotWrittenDown() {
        unparks(
                "past its commit point, and after a power loss its disk would say parked",
                to -> new StoreMutants.Parked(to) {
                    @Override
                    public void leave(Departure departure) {}
                });
    }

    @Test
    void aDepartureThatIsTakenBackWhenItHasSucceeded() {
        unparks(
                "the guest is the destination's, and the source's store says parked",
                to -> new StoreMutants.Parked(to) {
                    @Override
                    public void gone() {
                        to.stay();
                    }
                });
    }

    @Test
    void aDepartureThatIsTakenForAnArrival() {
        unparks(
                "the destination never had the guest, and the source's disk says gone",
                to -> new StoreMutants.Parked(to) {
                    @Override
                    public void leave(Departure departure) {
                        to.leave(departure);
                        to.gone();
                    }
                });
        unparks("at the end, and the source's disk says gone", to -> new StoreMutants.Parked(to) {
            @Override
            public void leave(Departure departure) {
                to.leave(departure);
                to.gone();
            }
        });
    }

    @Test
    void aGuestThatStaysAndItsStoreNeverSaysSo() {
        unparks("nothing has ended it", to -> new StoreMutants.Parked(to) {
            @Override
            public void stay() {}
        });
    }

    // ---- what is durable when

    @Test
    void pagesThatAreNotSynced() {
        unsynced(StoreMutantTest::parks, "was received, and does not have it", name -> name.startsWith("ram-"), false);
    }

    @Test
    void aManifestThatIsNotSynced() {
        unsynced(
                StoreMutantTest::parks,
                "after a power loss the store could not be opened",
                "manifest.json.new"::equals,
                false);
    }

    /** Each of these rules looks at a moment of its own; without the first one the second would be what catches it. */
    @Test
    void namesThatAreNotSynced() {
        unsynced(StoreMutantTest::parks, "says that it has everything, and after a power loss", name -> false, true);
        unsynced(StoreMutantTest::parks, "the destination has the guest, and after a power loss", name -> false, true);
        unsynced(StoreMutantTest::parks, "the destination had the guest, and after a restart", name -> false, true);
        unsynced(StoreMutantTest::parks, "at the end, and the destination's disk says", name -> false, true);
        unsynced(StoreMutantTest::unparks, "past its commit point, and after a power loss", name -> false, true);
        unsynced(
                StoreMutantTest::unparks,
                "past its commit point, and after a restart its disk says parked",
                name -> false,
                true);
    }

    private static void unsynced(Predicate<Setup> where, String words, Predicate<String> files, boolean folders) {
        Mutants.caught(Seams.NONE.withDisk(disk -> new StoreMutants.Unsynced(disk, files, folders)), words, where);
    }

    private static void parks(String words, UnaryOperator<ParkedGuest> bug) {
        Mutants.caught(Seams.NONE.withParked(bug), words, StoreMutantTest::parks);
    }

    private static void unparks(String words, UnaryOperator<ParkedGuest> bug) {
        Mutants.caught(Seams.NONE.withParked(bug), words, StoreMutantTest::unparks);
    }

    /** A bug in the sink: the same object for the same sink. */
    private static UnaryOperator<ParkedGuest> sinks(UnaryOperator<PageSink> bug) {
        return to -> new StoreMutants.Parked(to) {
            private @Nullable PageSink real;
            private @Nullable PageSink wrong;

            @Override
            @SuppressWarnings("ReferenceEquality")
            public PageSink sink(DiskWorks works) {
                PageSink now = super.sink(works);
                PageSink known = wrong;
                if (known == null || real != now) {
                    real = now;
                    known = bug.apply(now);
                    wrong = known;
                }
                return known;
            }
        };
    }
}
