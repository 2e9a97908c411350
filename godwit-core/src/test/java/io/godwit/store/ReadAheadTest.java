// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static io.godwit.store.Shelf.FOLDER;
import static io.godwit.store.Shelf.RAM;
import static io.godwit.store.Shelf.RAM_PAGES;
import static io.godwit.store.Shelf.ROM;
import static io.godwit.store.Shelf.ROM_PAGES;
import static io.godwit.store.Shelf.read;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.Pages;
import io.godwit.pump.Loan;
import io.godwit.sim.SimDisk;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A parked VM's pages are read ahead by somebody else: what is ready when, what is given up, and that no page is ever given that is not what was received. */
class ReadAheadTest {
    private record Asked(Runnable work, Runnable done, Runnable failed) {
        void isDone() {
            work.run();
            done.run();
        }
    }

    private static final ReadAhead SHORT = new ReadAhead(2, 4, 8, 2);

    private final SimDisk disk = new SimDisk(new SplittableRandom(1));
    private final VmStore store = Shelf.parked(disk, true);
    private final StoreSource source = store.source();
    private final ArrayDeque<Asked> asked = new ArrayDeque<>();

    {
        source.readElsewhere((work, done, failed) -> asked.add(new Asked(work, done, failed)), SHORT);
    }

    private void gives(long page) {
        assertThat(read(source, RAM, page)).as("page %d", page).isEqualTo(TestPages.of((int) page + 1));
    }

    /** Up to where nothing more is at hand; the page that is not. */
    private long givesWhatIsReady(long from) {
        long page = from;
        while (page < RAM_PAGES && source.ready(RAM, page)) {
            gives(page++);
        }
        return page;
    }

    @Test
    void whoeverAsksInOrderIsReadFor() {
        assertThat(givesWhatIsReady(0)).isEqualTo(8);
        assertThat(asked).hasSize(1);
        assertThat(source.ready(RAM, 8)).isFalse();

        asked.remove().isDone();
        assertThat(givesWhatIsReady(8)).isEqualTo(12);
        long page = 12;
        while (page < RAM_PAGES) {
            assertThat(asked).isNotEmpty();
            asked.remove().isDone();
            page = givesWhatIsReady(page);
        }
        assertThat(asked).isEmpty();
    }

    /** However long the hole is. */
    @Test
    void zeroPagesBetweenDoNotEndTheOrder() {
        VmStore holed = Shelf.open(disk, Path.of("/vms/holed"));
        StoreSink sink = holed.receive(Shelf.WEB1);
        for (int page = 0; page < RAM_PAGES; page++) {
            if (page < 12 || page >= 100) {
                sink.store(RAM, page, TestPages.of(page + 1), 0);
            } else {
                sink.storeZero(RAM, page);
            }
        }
        for (int page = 0; page < ROM_PAGES; page++) {
            sink.storeZero(ROM, page);
        }
        holed.park(Shelf.DEVICES, true);
        StoreSource pages = holed.source();
        pages.readElsewhere(
                (work, done, failed) -> asked.add(new Asked(work, done, failed)), new ReadAhead(2, 4, 16, 2));

        for (int page = 0; page < 12; page++) {
            assertThat(read(pages, RAM, page)).as("page %d", page).isEqualTo(TestPages.of(page + 1));
        }
        assertThat(asked).as("four are missing to what is settled").isEmpty();
        assertThat(pages.ready(RAM, 100)).isTrue();
        assertThat(read(pages, RAM, 100)).isEqualTo(TestPages.of(101));
        assertThat(asked).hasSize(1);
    }

    @Test
    void aPageOutOfOrderIsReadAtOnceAndWhatWasAskedForIsGivenUp() {
        long stopped = givesWhatIsReady(0);
        assertThat(source.ready(RAM, 150)).isTrue();
        gives(150);
        assertThat(source.ready(RAM, 151)).isTrue();
        gives(151);

        Asked forNothing = asked.remove();
        disk.vanished(true);
        forNothing.isDone(); // reads nothing: nobody wants it
        disk.vanished(false);
        assertThat(asked).isEmpty();
        assertThat(source.ready(RAM, stopped)).isTrue();
        gives(stopped);
    }

    /** As an urgent page may be: it does not wait. */
    @Test
    void aPageThatIsBeingReadCanBeHadAllTheSame() {
        long page = givesWhatIsReady(0);
        gives(page);
        assertThat(asked).isNotEmpty();
        asked.forEach(Asked::isDone);
        gives(page + 1);
    }

    @Test
    void whereGuestsAskAllTheTimeNothingIsReadForNothing() {
        for (int i = 1; i < 50; i++) {
            long page = 1 + i * 37L % (RAM_PAGES - 6);
            for (long next = page; next < page + 5; next++) {
                assertThat(source.ready(RAM, next)).isTrue();
                gives(next);
            }
        }
        assertThat(asked).isEmpty();
    }

    /** Those who ask never hear of it before they need the page; then they hear why. */
    @Test
    void aFailureIsToldToWhoeverNeedsThePage() {
        long page = givesWhatIsReady(0);
        disk.vanished(true);
        Asked lost = asked.remove();
        assertThatThrownBy(lost.work::run).isInstanceOf(StoreException.class);
        lost.failed.run();

        assertThat(source.ready(RAM, page)).isTrue();
        assertThatThrownBy(() -> read(source, RAM, page))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("see to the disk");
        disk.vanished(false);
        gives(page);
    }

    @Test
    void aDamagedPageIsNamedAndMayBeMended() {
        disk.damage(FOLDER.resolve("ram-0"), 10 * Pages.SIZE + 5L, 1);
        givesWhatIsReady(0);
        asked.remove().isDone();
        gives(8);
        gives(9);
        assertThat(source.ready(RAM, 10)).isTrue();
        assertThatThrownBy(() -> read(source, RAM, 10))
                .isInstanceOfSatisfying(
                        DamagedPageException.class, e -> assertThat(e.page()).isEqualTo(10));
        disk.damage(FOLDER.resolve("ram-0"), 10 * Pages.SIZE + 5L, 1);
        gives(10);
        gives(11);
    }

    /** However often the order changes before a slow disk has answered. */
    @Test
    void whatIsAskedForIsBounded() {
        for (int i = 0; i < 30; i++) {
            long from = i % 2 == 0 ? 0 : 100;
            for (long page = from; page < from + 12; page++) {
                gives(page);
            }
        }
        assertThat(asked).hasSizeLessThanOrEqualTo(8);
        asked.forEach(Asked::isDone);
        asked.clear();
        long page = 20;
        while (page < RAM_PAGES) {
            page = givesWhatIsReady(page);
            while (!asked.isEmpty()) {
                asked.remove().isDone();
            }
        }
    }

    @Test
    void neighboursThatAreAtHandAreGivenTogether() {
        gives(0);
        int count = source.atHand(RAM, 1, RAM_PAGES);
        assertThat(count).as("four were read, and one of them given").isEqualTo(3);
        assertThat(source.atHand(RAM, 2, 1)).isEqualTo(1);
        assertThat(source.atHand(RAM, 4, 1)).as("not read yet").isZero();

        ByteBuffer out = ByteBuffer.allocate(3 * (8 + Pages.SIZE));
        source.read(RAM, 1, 3, out, 8);

        assertThat(out.remaining()).isZero();
        for (int i = 0; i < 3; i++) {
            assertThat(out.getLong(i * (8 + Pages.SIZE))).isZero();
            assertThat(out.slice(i * (8 + Pages.SIZE) + 8, Pages.SIZE)).isEqualTo(TestPages.of(i + 2));
        }
    }

    private static void assertHolds(Loan loan, int first, int count) {
        assertHolds(loan, first, count, Loan.GAP);
    }

    private static void assertHolds(Loan loan, int first, int count, int gap) {
        for (int i = 0; i < count; i++) {
            assertThat(loan.bytes().slice(loan.bytes().position() + i * (gap + Pages.SIZE), Pages.SIZE))
                    .as("page %d", first + i)
                    .isEqualTo(TestPages.of(first + i + 1));
        }
    }

    private void readsAll(long from) {
        long page = from;
        while (page < RAM_PAGES) {
            page = givesWhatIsReady(page);
            while (!asked.isEmpty()) {
                asked.remove().isDone();
            }
        }
    }

    @Test
    void pagesThatAreLentStayWhatTheyAreWhateverIsReadMeanwhile() {
        gives(0);
        Loan three = Objects.requireNonNull(source.lend(RAM, 1, 3, Loan.GAP));
        assertThat(three.bytes().remaining()).isEqualTo(3 * Pages.SIZE + 2 * Loan.GAP);
        // What the borrower writes between them is no page's.
        three.bytes().putLong(three.bytes().position() + Pages.SIZE, -1);
        assertHolds(three, 1, 3);

        gives(100);
        assertHolds(three, 1, 3);
        assertThat(source.atHand(RAM, 100, 2)).isEqualTo(2);
        Loan other = Objects.requireNonNull(source.lend(RAM, 100, 2, Loan.GAP));
        Loan again = Objects.requireNonNull(source.lend(RAM, 100, 2, Loan.GAP));
        other.over().run();
        readsAll(101);
        readsAll(0);
        assertHolds(three, 1, 3);
        assertHolds(again, 100, 2);
        three.over().run();
        assertHolds(again, 100, 2);
        again.over().run();
        readsAll(0);
    }

    /** A page of it turned out to be damaged, so it is read anew; what was lent of it is not. */
    @Test
    void whatIsLentOfARunThatIsGivenUpStaysToo() {
        disk.damage(FOLDER.resolve("ram-0"), 3 * Pages.SIZE + 5L, 1);
        gives(0);
        Loan two = Objects.requireNonNull(source.lend(RAM, 1, 2, Loan.GAP));
        assertThatThrownBy(() -> read(source, RAM, 3)).isInstanceOf(DamagedPageException.class);
        gives(50);
        assertHolds(two, 1, 2);
        two.over().run();
        readsAll(51);
    }

    /** As a packet has them; from one to the other and back, as where a migration goes over to postcopy. */
    @Test
    void pagesAreLentOneBehindTheOtherOnceSomebodyWantsThemSo() {
        gives(0);
        assertThat(source.lend(RAM, 1, 3, 0)).as("they lie in the other manner").isNull();
        assertThat(source.atHand(RAM, 1, 3)).as("and can be had all the same").isEqualTo(3);
        Loan apart = Objects.requireNonNull(source.lend(RAM, 1, 3, Loan.GAP));
        assertThat(source.lend(RAM, 1, 3, 0)).isNull();
        gives(4);
        Loan together = Objects.requireNonNull(source.lend(RAM, 4, 4, 0));
        assertThat(together.bytes().remaining()).isEqualTo(4 * Pages.SIZE);
        assertHolds(together, 4, 4, 0);
        readsAll(8);

        gives(100);
        assertThat(source.lend(RAM, 100, 2, Loan.GAP)).isNull();
        gives(102);
        assertHolds(Objects.requireNonNull(source.lend(RAM, 102, 2, Loan.GAP)), 102, 2);
        assertHolds(apart, 1, 3);
        assertHolds(together, 4, 4, 0);
    }

    @Test
    void aDamagedPageIsFoundInEitherManner() {
        disk.damage(FOLDER.resolve("ram-0"), 6 * Pages.SIZE + 5L, 1);
        gives(0);
        assertThat(source.lend(RAM, 1, 3, 0)).isNull();
        gives(4);
        assertThat(source.atHand(RAM, 4, 4)).isEqualTo(2);
        assertHolds(Objects.requireNonNull(source.lend(RAM, 4, 2, 0)), 4, 2, 0);
        assertThatThrownBy(() -> read(source, RAM, 6)).isInstanceOf(DamagedPageException.class);
    }

    @Test
    void oneAloneIsNotWorthTheLoan() {
        gives(0);
        assertThat(source.lend(RAM, 1, 1, Loan.GAP)).isNull();
    }

    /** It is asked for by itself, and then named. */
    @Test
    void aDamagedPageIsNotAtHand() {
        disk.damage(FOLDER.resolve("ram-0"), 2 * Pages.SIZE + 5L, 1);
        gives(0);
        assertThat(source.atHand(RAM, 1, 3)).isEqualTo(1);
        assertThat(source.atHand(RAM, 2, 1)).isZero();
        assertThatThrownBy(() -> read(source, RAM, 2)).isInstanceOf(DamagedPageException.class);
    }
}
