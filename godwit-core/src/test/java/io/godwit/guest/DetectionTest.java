// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.guest.Damage.Kind;
import io.godwit.memory.Backing;
import io.godwit.page.Pages;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whatever is done to one page, the guest says which page and what is wrong with it. */
class DetectionTest {
    private static final ChurnOptions OPTIONS = ChurnOptions.of(512 * Pages.SIZE)
            .withWriters(3, 0)
            .withShares(60, 20)
            .withSeed(11);
    private static final ChurnLayout LAYOUT = new ChurnLayout(OPTIONS);

    private ChurnGuest guest;

    @BeforeEach
    void aGuestThatHasRunForSomeSweeps() throws Exception {
        guest = ChurnGuest.create(OPTIONS, Backing.ANONYMOUS);
        Stopped.runSweeps(guest, 3);
        assertThat(guest.verify().ok()).as(guest.verify().summary()).isTrue();
    }

    @AfterEach
    void free() {
        guest.close();
        guest.memory().close();
    }

    private static long hot(int writer, long position) {
        return LAYOUT.place(LAYOUT.hotIndex(writer, position));
    }

    private static long cold(long i) {
        return LAYOUT.place(LAYOUT.coldIndex(i));
    }

    /** The sweep that a hot page must hold now. */
    private long sweep(int writer, long position) {
        ChurnStats.Writer state = guest.stats().writers().get(writer);
        return new ChurnWriter.State(writer, state.position(), state.sweep(), 0).expectedSweep(position);
    }

    private long[] read(long place) {
        long[] words = new long[512];
        guest.memory().block(ChurnLayout.block(place)).readPage(ChurnLayout.page(place), words);
        return words;
    }

    private void write(long place, long[] words) {
        guest.memory().block(ChurnLayout.block(place)).writePage(ChurnLayout.page(place), words);
    }

    private void change(long place, Consumer<long[]> change) {
        long[] words = read(place);
        change.accept(words);
        write(place, words);
    }

    private static long[] content(long seed, long place, int writer, long sweep) {
        long[] words = new long[512];
        new ChurnPages(seed, Pages.SIZE).compose(words, place, writer, sweep);
        return words;
    }

    private static String name(long place) {
        return "page " + ChurnLayout.page(place) + " of '" + ChurnLayout.name(ChurnLayout.block(place)) + "'";
    }

    /** The one damage that is found, first by the verification, and, if the page is hot or a reader looks at it, by the guest when it runs on. */
    private Damage found(long place) {
        Verification report = guest.verify();
        assertThat(report.ok()).isFalse();
        assertThat(report.damages()).as(report.summary()).hasSize(1);
        assertThat(report.damaged()).isEqualTo(1);
        Damage damage = report.damages().getFirst();
        assertThat(damage.block()).isEqualTo(ChurnLayout.name(ChurnLayout.block(place)));
        assertThat(damage.page()).isEqualTo(ChurnLayout.page(place));
        assertThat(report.summary()).contains(damage.what());
        return damage;
    }

    private void is(Damage damage, Kind kind, String what) {
        assertThat(damage.kind()).as(damage.what()).isEqualTo(kind);
        assertThat(damage.toString()).isEqualTo(what);
    }

    @Test
    void oneFlippedBitAnywhereIsACorruptPage() {
        for (int word : new int[] {0, 1, 2, 3, 4, 5, 6, 300, 511}) {
            long place = hot(1, 5);
            change(place, words -> words[word] ^= 1L << 40);
            is(
                    found(place),
                    Kind.CORRUPT,
                    name(place) + " differs from sweep " + sweep(1, 5)
                            + " of writer 1 in 1 of 512 words, first at byte " + word * 8 + ": a corrupt page");
            change(place, words -> words[word] ^= 1L << 40);
            assertThat(guest.verify().ok()).isTrue();
        }
    }

    @Test
    void aColdPageIsComparedToTheLastBitToo() {
        change(cold(3), words -> words[511] ^= 1);
        is(
                found(cold(3)),
                Kind.CORRUPT,
                name(cold(3)) + " differs from the first and only content in 1 of 512 words, first at byte 4088:"
                        + " a corrupt page");
    }

    @Test
    void aDroppedPageIsLost() {
        write(hot(0, 2), new long[512]);
        is(
                found(hot(0, 2)),
                Kind.LOST,
                name(hot(0, 2)) + " holds only zeroes where sweep " + sweep(0, 2)
                        + " of writer 0 was expected: a lost page");
    }

    @Test
    void anOldPageIsStale() {
        write(hot(2, 9), content(11, hot(2, 9), 2, sweep(2, 9) - 1));
        is(
                found(hot(2, 9)),
                Kind.STALE,
                name(hot(2, 9)) + " holds sweep " + (sweep(2, 9) - 1) + " where " + sweep(2, 9)
                        + " was expected: a stale page (lost update)");
    }

    @Test
    void aPageWrittenTwiceIsFromTheFuture() {
        write(hot(2, 9), content(11, hot(2, 9), 2, sweep(2, 9) + 1));
        assertThat(found(hot(2, 9)).kind()).isEqualTo(Kind.FUTURE);
    }

    @Test
    void swappedPagesAreBothMisplaced() {
        long a = hot(0, 4);
        long b = cold(7);
        long[] words = read(a);
        write(a, read(b));
        write(b, words);
        assertThat(guest.verify().damages())
                .extracting(Damage::what)
                .containsExactlyInAnyOrder(
                        name(a) + " holds the content of " + name(b) + ": a misplaced page",
                        name(b) + " holds the content of " + name(a) + ": a misplaced page");
    }

    @Test
    void aPageOfAnotherGuestIsMisplaced() {
        write(cold(0), content(12, cold(0), ChurnPages.COLD, 0));
        is(
                found(cold(0)),
                Kind.MISPLACED,
                name(cold(0)) + " holds a page of a guest with another seed: a misplaced page");
    }

    @Test
    void aPageHalfOldIsTornWhereverTheTearIs() {
        long place = hot(1, 30);
        long now = sweep(1, 30);
        long[] before = content(11, place, 1, now - 1);
        long[] good = read(place);
        for (int tear : new int[] {5, 6, 7, 256, 511}) {
            long[] torn = good.clone();
            System.arraycopy(before, tear, torn, tear, 512 - tear);
            write(place, torn);
            Damage damage = found(place);
            assertThat(damage.kind()).as(damage.what()).isEqualTo(Kind.TORN);
            assertThat(damage.what())
                    .contains("words of sweep " + now + " of writer 1")
                    .contains("of sweep " + (now - 1));

            torn = before.clone();
            System.arraycopy(good, tear, torn, tear, 512 - tear);
            write(place, torn);
            assertThat(found(place).kind())
                    .as("old first, tear at word %d", tear)
                    .isEqualTo(Kind.TORN);
        }
    }

    @Test
    void aPageHalfZeroIsTorn() {
        change(cold(9), words -> java.util.Arrays.fill(words, 256, 512, 0));
        is(
                found(cold(9)),
                Kind.TORN,
                name(cold(9)) + " holds 256 words of the first and only content and 256 zero words: a torn page");
    }

    @Test
    void garbageIsCorrupt() {
        change(hot(0, 0), words -> java.util.Arrays.setAll(words, i -> i * 77L + 1));
        assertThat(found(hot(0, 0)).kind()).isEqualTo(Kind.CORRUPT);
    }

    @Test
    void somethingInAZeroPageIsFound() {
        long index = 0;
        while (LAYOUT.role(index) != ChurnLayout.Role.ZERO) {
            index++;
        }
        long zero = LAYOUT.place(index);
        change(zero, words -> words[100] = 0xABC);
        is(found(zero), Kind.NOT_ZERO, name(zero) + " holds 0xabc at byte 800: a page that should hold only zeroes");
        write(zero, read(cold(1)));
        assertThat(found(zero).what()).contains("the content of " + name(cold(1)));
    }

    @Test
    void aWriterWhosePositionMovedFindsThePageInBetween() {
        List<DeviceSection> sections = new ArrayList<>(guest.saveDevices());
        ChurnDevices devices = ChurnDevices.fromSections(sections);
        List<ChurnWriter.State> states = new ArrayList<>(devices.writers());
        ChurnWriter.State was = states.get(1);
        // One before the last page of a sweep is as good a place as any, so that both directions stay in the sweep.
        long at = was.position();
        boolean back = at > 0;
        states.set(1, new ChurnWriter.State(1, back ? at - 1 : at + 1, was.sweep(), was.written()));
        guest.loadDevices(new ChurnDevices(devices.options(), 0, states).toSections());
        long place = hot(1, back ? at - 1 : at);
        assertThat(found(place).kind()).isEqualTo(back ? Kind.FUTURE : Kind.STALE);
    }

    @Test
    void theRunningGuestMeetsDamageTellsItAndGoesOn() throws Exception {
        long stale = hot(2, 17);
        String sentence = name(stale) + " holds sweep " + (sweep(2, 17) - 1) + " where " + sweep(2, 17)
                + " was expected: a stale page (lost update)";
        write(stale, content(11, stale, 2, sweep(2, 17) - 1));
        long sweeps = guest.stats().writers().get(2).sweep();

        Stopped.runSweeps(guest, sweeps + 2);

        assertThat(guest.firstDamage()).hasToString(sentence);
        Verification report = guest.verify();
        assertThat(report.damaged()).as("the guest has overwritten it").isZero();
        assertThat(report.damagedRunning()).isEqualTo(1);
        assertThat(report.ok()).as("but it does not forget").isFalse();
        assertThat(report.summary()).contains(sentence);
        guest.loadDevices(guest.saveDevices());
        assertThat(guest.stats().damages()).as("and tells where it goes").isPositive();
    }

    @Test
    void readersMeetDamageInColdPages() throws Exception {
        List<DeviceSection> sections = new ChurnDevices(
                        OPTIONS.withReaders(2, 0),
                        0,
                        ChurnDevices.fromSections(guest.saveDevices()).writers())
                .toSections();
        guest.loadDevices(sections);
        change(cold(LAYOUT.coldPages() - 1), words -> words[7]++);
        guest.start();
        Stopped.until("a reader meets it", () -> guest.firstDamage() != null);
        Stopped.stop(guest);
        assertThat(guest.firstDamage()).asString().contains("of 'churn.rom' differs from the first and only content");
        assertThat(guest.stats().pagesRead()).isPositive();
    }

    @Test
    void manyDamagesAreAllCountedAndTheFirstAreNamed() {
        for (int i = 0; i < 100; i++) {
            write(hot(0, i), new long[512]);
        }
        Verification report = guest.verify();
        assertThat(report.damaged()).isEqualTo(100);
        assertThat(report.damages()).hasSize(DamageLog.KEPT);
    }
}
