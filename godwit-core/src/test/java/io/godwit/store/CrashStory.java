// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.sim.PowerLoss;
import io.godwit.sim.SimDisk;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;

/** One seeded story of {@link StoreCrashTest}, and what the teller remembers of it: what was given, what was promised, and what was only tried. */
final class CrashStory {
    private static final int LIVES = 6;

    private final SplittableRandom dice;
    /** What another thread is to write. */
    private final ArrayDeque<Runnable> beside = new ArrayDeque<>();

    private final SimDisk disk;
    private final CrashPages pages;
    /** States in which the store may be found. */
    private List<String> possible = List.of("nothing");

    private int clonesAtLeast;
    private int clonesAtMost;
    private long numbers = 1;

    CrashStory(long seed) {
        dice = new SplittableRandom(seed);
        disk = new SimDisk(dice.split());
        pages = new CrashPages(disk);
    }

    void tell() throws DiskException {
        if (dice.nextBoolean()) {
            // An operator's mkdir, which nobody has made durable.
            disk.createFolderDurably(Objects.requireNonNull(Shelf.FOLDER.getParent()));
            disk.createFolder(Shelf.FOLDER);
        }
        for (int life = 0; life < LIVES; life++) {
            disk.losePowerAt(disk.operations() + dice.nextInt(dice.nextInt(4) == 0 ? 12 : 600));
            try {
                live();
            } catch (PowerLoss _) {
                // what this is about
            }
            troubles(false);
            beside.clear();
            if (dice.nextInt(3) == 0) {
                disk.killProcess();
            } else {
                disk.losePower();
                disk.boot();
            }
        }
        lastLife();
    }

    /** A few pages at a time, behind the one who brings them. */
    private Behind behind() {
        return new Behind(1 + dice.nextInt(6), dice.nextInt(4), beside::add);
    }

    /** The other thread has its turn, or not. */
    private void besides() {
        while (!beside.isEmpty() && dice.nextInt(3) > 0) {
            beside.remove().run();
        }
    }

    private void troubles(boolean on) {
        disk.failSyncs(dice.nextInt(6), on && dice.nextInt(3) > 0 ? 1 + dice.nextInt(2) : 0);
        disk.full(on && dice.nextInt(3) == 0);
    }

    /** Opens the store and checks that it is one of the things that it may be. */
    private VmStore awake() throws DiskException {
        VmStore store = Shelf.open(disk);
        String word = word(store);
        assertThat(possible).contains(word);
        Manifest manifest = store.manifest();
        if (manifest != null) {
            // (What has been removed and not for sure may come back; nobody builds on its being away.)
            possible = List.of(word);
            assertThat(manifest.arrival()).isEqualTo(Shelf.WEB1);
            assertThat(manifest.clones()).isBetween(clonesAtLeast, clonesAtMost);
            clonesAtLeast = manifest.clones();
            clonesAtMost = manifest.clones();
        }
        return store;
    }

    private static String word(VmStore store) {
        Manifest manifest = store.manifest();
        return manifest == null ? "nothing" : manifest.state().word();
    }

    private static int clones(VmStore store) {
        return Objects.requireNonNull(store.manifest()).clones();
    }

    private void live() throws DiskException {
        VmStore store = awake();
        for (int step = 0; step < 40; step++) {
            troubles(dice.nextInt(4) == 0);
            try {
                if (dice.nextInt(12) == 0 && Removal.refusal(store, true) == null) {
                    store = removed(store);
                }
                switch (word(store)) {
                    case "nothing", "receiving" -> precopy(store);
                    case "receiving-postcopy" -> postcopy(store);
                    default -> parked(store);
                }
            } catch (StoreException e) {
                assertThat(e.kind())
                        .isIn(StoreException.Kind.FULL, StoreException.Kind.SYNC_FAILED, StoreException.Kind.BROKEN);
                mend(store);
            }
        }
    }

    /** The folder, too, or with a file in it that somebody else has put there. */
    private VmStore removed(VmStore store) throws DiskException {
        possible = join(possible, "nothing");
        try {
            if (dice.nextBoolean()) {
                disk.openForWriting(Shelf.FOLDER.resolve("notes.txt")).close();
            }
            Removal.remove(store, true);
            possible = List.of("nothing");
        } catch (StoreException | DiskException _) {
            // The operator is told so, and looks again.
            store.close();
        }
        troubles(false);
        return awake();
    }

    /** The operator sees to the disk; the store goes on from where it is. */
    private void mend(VmStore store) {
        troubles(false);
        if (store.undecided() && dice.nextBoolean()) {
            store.settle();
            possible = List.of("receiving");
        }
        if (word(store).equals("receiving-postcopy") && dice.nextInt(2) == 0) {
            store.resumeReceiving(behind());
            store.rollBack();
        }
    }

    private void precopy(VmStore store) {
        // Whatever an attempt that failed has left on disk, its source was not told; a new attempt replaces it.
        List<String> before = possible;
        possible = join(before, "receiving");
        clonesAtLeast = 0;
        StoreSink sink = store.receive(Shelf.WEB1, behind());
        possible = List.of("receiving");
        clonesAtLeast = 0;
        clonesAtMost = 0;
        pages.clear();
        for (int i = dice.nextInt(60); i > 0; i--) {
            give(sink, false);
        }
        if (dice.nextInt(5) == 0) {
            sink.discard(Shelf.RAM, dice.nextInt(50), dice.nextInt(100));
        }
        if (dice.nextInt(8) == 0) {
            sink.reset();
        }
        if (dice.nextInt(3) == 0) {
            return;
        }
        if (dice.nextBoolean()) {
            sink.beginPostcopy();
            possible = join(possible, "receiving-postcopy");
            store.handOver(Shelf.BLOB);
            possible = List.of("receiving-postcopy");
            return;
        }
        complete(sink, false);
        boolean confirmed = dice.nextBoolean();
        possible = join(possible, confirmed ? "parked" : "parked-unconfirmed");
        if (dice.nextInt(3) == 0) {
            // Its syncs are about ten, those that say that it failed come after them.
            disk.failSyncs(dice.nextInt(12), 1 + dice.nextInt(3));
        }
        try {
            store.park(Shelf.DEVICES, confirmed);
        } catch (StoreException e) {
            toldThatItFailed(store, sink);
            throw e;
        }
        possible = List.of(confirmed ? "parked" : "parked-unconfirmed");
        pages.check(store);
    }

    /** The source runs its guest again, and what came is given up; but if that cannot be said for sure, nobody hears anything, and all of it stays. */
    private void toldThatItFailed(VmStore store, StoreSink sink) {
        if (store.undecided()) {
            return;
        }
        possible = List.of("receiving");
        if (dice.nextBoolean()) {
            sink.reset();
        }
        if (dice.nextBoolean()) {
            disk.losePowerAt(disk.operations() + dice.nextInt(3));
        }
    }

    private void postcopy(VmStore store) throws DiskException {
        StoreSink sink = store.resumeReceiving(behind());
        pages.checkPromised(sink);
        for (int i = dice.nextInt(40); i > 0; i--) {
            give(sink, true);
        }
        besides();
        if (dice.nextInt(3) > 0) {
            List<PageBitmap> now =
                    List.of(sink.received(0).copy(), sink.received(1).copy());
            store.checkpoint();
            pages.promise(now);
        }
        if (dice.nextInt(12) == 0) {
            store.rollBack();
        }
        if (dice.nextInt(6) == 0) {
            complete(sink, true);
            possible = join(possible, "parked");
            store.park(null, true);
            possible = List.of("parked");
            pages.check(store);
        }
    }

    private void give(StoreSink sink, boolean postcopy) {
        int block = dice.nextInt(8) == 0 ? Shelf.ROM : Shelf.RAM;
        int count = pages.given[block].length;
        int first = dice.nextInt(count);
        int run = dice.nextInt(3) == 0 ? dice.nextInt(30) : 1;
        if (!postcopy && run > 1 && dice.nextBoolean()) {
            together(sink, block, first, Math.min(run, count - first));
            return;
        }
        for (int page = first; page < Math.min(count, first + run); page++) {
            give(sink, block, page, postcopy);
        }
    }

    private void give(StoreSink sink, int block, int page, boolean postcopy) {
        besides();
        long number = dice.nextInt(3) == 0 ? 0 : numbers++;
        if (postcopy && sink.received(block).get(page)) {
            assertThat(sink.place(block, page, TestPages.of(number), 0)).isFalse();
            return;
        }
        pages.given[block][page] = number;
        if (postcopy) {
            assertThat(number == 0 ? sink.placeZero(block, page) : sink.place(block, page, TestPages.of(number), 0))
                    .isTrue();
        } else if (number == 0) {
            sink.storeZero(block, page);
        } else {
            sink.store(block, page, TestPages.of(number), 0);
        }
    }

    /** As they come from a decoder, with something between them. */
    private void together(StoreSink sink, int block, int first, int count) {
        besides();
        int stride = Pages.SIZE + 8;
        ByteBuffer in = ByteBuffer.allocate(count * stride);
        for (int i = 0; i < count; i++) {
            pages.given[block][first + i] = numbers;
            in.put(i * stride, TestPages.of(numbers++), 0, Pages.SIZE);
        }
        sink.store(block, first, count, in, 0, stride);
    }

    private void complete(StoreSink sink, boolean postcopy) {
        for (int block = 0; block < pages.given.length; block++) {
            for (long page = sink.received(block).nextClear(0);
                    page >= 0;
                    page = sink.received(block).nextClear(page)) {
                give(sink, block, (int) page, postcopy);
            }
        }
    }

    private void parked(VmStore store) {
        String from = word(store);
        switch (from) {
            case "parked", "parked-unconfirmed" -> {
                switch (dice.nextInt(4)) {
                    case 0 -> move(from, "leaving", () -> store.leave(Shelf.TO_B, true));
                    case 1 -> {
                        if (from.equals("parked")) {
                            store.confirm(); // writes nothing
                        } else {
                            move(from, "parked", store::confirm);
                        }
                    }
                    case 2 -> {
                        clonesAtMost = clones(store) + 1;
                        store.leaveAsClone(Shelf.TO_B, true);
                        clonesAtLeast = clonesAtMost;
                        possible = List.of(from);
                    }
                    default -> pages.check(store);
                }
            }
            case "leaving" -> {
                if (dice.nextInt(3) == 0) {
                    move(from, "gone", () -> store.gone("completed"));
                } else {
                    boolean confirmed = Shelf.state(store) instanceof StoreState.Leaving leaving && leaving.confirmed();
                    move(from, confirmed ? "parked" : "parked-unconfirmed", store::takeBack);
                }
            }
            case "gone" -> {
                if (dice.nextInt(3) == 0) {
                    precopy(store);
                } else {
                    pages.check(store);
                }
            }
            default -> throw new AssertionError(from);
        }
    }

    private void move(String from, String to, Runnable transition) {
        possible = join(possible, from, to);
        transition.run();
        possible = List.of(to);
    }

    /** Without faults, whatever it is ends as it should. */
    private void lastLife() throws DiskException {
        VmStore store = awake();
        if (word(store).equals("receiving-postcopy")) {
            StoreSink sink = store.resumeReceiving(behind());
            pages.checkClaims(sink);
            complete(sink, true);
            store.park(null, true);
        }
        if (!word(store).equals("nothing") && !word(store).equals("receiving")) {
            pages.check(store);
        }
        store.close();
    }

    private static List<String> join(List<String> some, String... more) {
        List<String> all = new ArrayList<>(some);
        all.addAll(List.of(more));
        return all;
    }
}
