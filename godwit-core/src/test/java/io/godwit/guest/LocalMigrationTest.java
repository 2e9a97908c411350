// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.guest.Damage.Kind;
import io.godwit.memory.Backing;
import io.godwit.memory.Seeds;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A live guest moves from one memory to another, and every mistake on the way is seen. */
class LocalMigrationTest {
    private static final long SIZE = 2048 * Pages.SIZE;
    private static final ChurnOptions LIVE =
            ChurnOptions.of(SIZE).withWriters(3, 60_000).withReaders(1, 5_000);

    private final List<ChurnGuest> guests = new ArrayList<>();

    private LocalMigration begin(Backing backing) throws Exception {
        ChurnGuest source = ChurnGuest.create(LIVE.withSeed(Seeds.next()), backing);
        source.start();
        Stopped.until("it writes", () -> source.stats().pagesWritten() > 100);
        ChurnGuest destination = ChurnGuest.incoming(SIZE, backing);
        guests.add(source);
        guests.add(destination);
        return new LocalMigration(source, destination);
    }

    @AfterEach
    void free() throws Exception {
        for (ChurnGuest guest : guests) {
            Stopped.stop(guest);
            guest.close();
            guest.memory().close();
        }
    }

    private void proveSound(ChurnGuest guest) {
        Verification report = guest.verify();
        assertThat(report.ok()).as(report.summary()).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void precopyMovesAGuestThatWritesAllTheTime(Backing backing) throws Exception {
        LocalMigration move = begin(backing);
        for (int pass = 0; pass < 5; pass++) {
            move.precopyPass();
        }
        move.stop();
        move.completePrecopy();
        proveSound(move.source);
        proveSound(move.destination);
        Stopped.runSweeps(
                move.destination, move.source.stats().writers().getFirst().sweep() + 1);
        proveSound(move.destination);
    }

    @ParameterizedTest
    @EnumSource
    void postcopyMovesItWhileItRunsOnAtTheDestination(Backing backing) throws Exception {
        LocalMigration move = begin(backing);
        move.precopyPass();
        move.stop();
        assertThat(move.dirty(ChurnLayout.RAM).cardinality())
                .as("there is something left")
                .isPositive();
        move.switchToPostcopy();
        AtomicInteger waits = new AtomicInteger();
        move.serveRequestsUntil("it waits for pages and gets them", () -> {
            waits.set((int) move.destination.memory().waits().snapshot().count());
            return waits.get() > 20;
        });
        move.completePostcopy();
        long written = move.destination.stats().pagesWritten();
        Stopped.until("it goes on", () -> move.destination.stats().pagesWritten() > written + 3_000);
        Stopped.stop(move.destination);
        proveSound(move.destination);
    }

    @Test
    void postcopyMayBeginWithNothingAtTheDestinationAndBeStoppedInBetween() throws Exception {
        LocalMigration move = begin(Backing.ANONYMOUS);
        move.stop();
        for (int block = 0; block < 3; block++) {
            move.dirty(block).setAll();
        }
        move.switchToPostcopy();
        for (int i = 1; i <= 20; i++) {
            int enough = i * 5;
            move.serveRequestsUntil(
                    "some pages",
                    () -> move.destination.memory().waits().snapshot().count() > enough);
            Stopped.stop(move.destination);
            move.destination.start();
        }
        move.completePostcopy();
        Stopped.stop(move.destination);
        proveSound(move.destination);
    }

    @Test
    void aStopDoesNotHangOnPagesThatNeverCome() throws Exception {
        LocalMigration move = begin(Backing.ANONYMOUS);
        move.stop();
        for (int block = 0; block < 3; block++) {
            move.dirty(block).setAll();
        }
        move.switchToPostcopy();
        Stopped.until("all wait", () -> move.destination.memory().blockedThreads() == 4);
        Stopped.stop(move.destination);
        assertThat(move.destination.verify().damages()).isNotEmpty().allMatch(damage -> damage.kind() == Kind.ABSENT);
        move.completePostcopy();
        proveSound(move.destination);
        assertThat(move.destination.stats().pagesWritten())
                .isEqualTo(move.source.stats().pagesWritten());
    }

    @Test
    void whileOneWriterWaitsTheOthersGoOn() throws Exception {
        LocalMigration move = begin(Backing.ANONYMOUS);
        move.stop();
        ChurnLayout layout = new ChurnLayout(move.source.options());
        ChurnStats.Writer writer = move.source.stats().writers().get(1);
        long next = layout.place(layout.hotIndex(1, writer.position()));
        move.completePrecopyBut(ChurnLayout.block(next), ChurnLayout.page(next));

        Stopped.until(
                "the others write",
                () -> move.destination.stats().writers().get(0).pages()
                                > move.source.stats().writers().get(0).pages() + 200
                        && move.destination.stats().writers().get(2).pages()
                                > move.source.stats().writers().get(2).pages() + 200);
        assertThat(move.destination.stats().writers().get(1).pages()).isEqualTo(writer.pages());

        move.completePostcopy();
        Stopped.until(
                "it writes too", () -> move.destination.stats().writers().get(1).pages() > writer.pages());
        Stopped.stop(move.destination);
        proveSound(move.destination);
        assertThat(move.destination.memory().waits().snapshot().count()).isEqualTo(1);
    }

    @Test
    void theFirstWriterSoonHasAllItsPagesAndGoesOnWhileTheOthersWait() throws Exception {
        LocalMigration move = begin(Backing.ANONYMOUS);
        move.stop();
        for (int block = 0; block < 3; block++) {
            move.dirty(block).setAll();
        }
        move.switchToPostcopy();
        ChurnStats.Writer before = move.source.stats().writers().getFirst();
        move.serveRequestsUntil(
                "a sweep of the first writer",
                () -> move.destination.stats().writers().getFirst().sweep() > before.sweep() + 1);

        Stopped.until(
                "the others and the reader wait",
                () -> move.destination.memory().blockedThreads() == 3);
        long pages = move.destination.stats().pagesWritten();
        Stopped.until("it goes on", () -> move.destination.stats().pagesWritten() > pages + 500);
        assertThat(move.destination.memory().blockedThreads()).isEqualTo(3);

        move.completePostcopy();
        Stopped.stop(move.destination);
        proveSound(move.destination);
    }

    /** What goes wrong in the tests below, each time once. */
    private void planted(Kind kind, ChurnGuest guest) {
        Verification report = guest.verify();
        assertThat(report.ok()).isFalse();
        assertThat(report.damages()).as(report.summary()).hasSize(1).allMatch(damage -> damage.kind() == kind);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLostDirtyMarkIsAStalePage(boolean metWhileRunning) throws Exception {
        LocalMigration move = begin(Backing.ANONYMOUS);
        move.precopyPass();
        Stopped.until("it writes on", () -> move.source.stats().pagesWritten() > 4_000);
        move.stop();
        move.dirty(ChurnLayout.RAM).clear(oldWholePage(move));
        move.completePrecopy();
        if (metWhileRunning) {
            Stopped.runSweeps(
                    move.destination, move.source.stats().writers().getFirst().sweep() + 1);
            assertThat(move.destination.firstDamage()).asString().endsWith(": a stale page (lost update)");
            assertThat(move.destination.verify().ok()).isFalse();
        } else {
            planted(Kind.STALE, move.destination);
        }
    }

    /** A dirty page of which the destination has an old content: not the last one by luck, and not a torn one. */
    private static long oldWholePage(LocalMigration move) {
        long[] there = new long[512];
        long page = move.dirty(ChurnLayout.RAM).nextSet(0);
        while (true) {
            move.destination.memory().block(ChurnLayout.RAM).readPage(page, there);
            boolean whole = ChurnPages.sum(there) == there[ChurnPages.SUM_AT];
            if (whole
                    && move.source.memory().checksum(0, page)
                            != move.destination.memory().checksum(0, page)) {
                return page;
            }
            page = move.dirty(ChurnLayout.RAM).nextSet(page + 1);
        }
    }

    @Test
    void aPageThatIsOverwrittenInPostcopyIsStale() throws Exception {
        LocalMigration move = begin(Backing.ANONYMOUS);
        move.stop();
        move.completePrecopy();
        Stopped.runSweeps(
                move.destination, move.source.stats().writers().getFirst().sweep() + 2);
        ChurnLayout layout = new ChurnLayout(move.source.options());
        long place = layout.place(layout.hotIndex(2, 5));
        long[] words = new long[512];
        move.source.memory().block(ChurnLayout.block(place)).readPage(ChurnLayout.page(place), words);
        move.destination.memory().block(ChurnLayout.block(place)).writePage(ChurnLayout.page(place), words);
        planted(Kind.STALE, move.destination);
    }

    @Test
    void aPageWithoutItsSecondHalfIsTorn() throws Exception {
        LocalMigration move = begin(Backing.ANONYMOUS);
        move.stop();
        move.completePrecopy();
        ChurnLayout layout = new ChurnLayout(move.source.options());
        long place = layout.place(layout.coldIndex(9));
        ByteBuffer half = ByteBuffer.allocate(2 * Pages.SIZE);
        move.source
                .memory()
                .asSource()
                .read(ChurnLayout.block(place), ChurnLayout.page(place), half.position(Pages.SIZE / 2));
        half.put(Pages.SIZE, new byte[Pages.SIZE]);
        move.destination
                .memory()
                .asSink()
                .store(ChurnLayout.block(place), ChurnLayout.page(place), half, Pages.SIZE / 2);
        planted(Kind.TORN, move.destination);
    }

    @Test
    void aZeroPageThatWasNoneIsLost() throws Exception {
        LocalMigration move = begin(Backing.ANONYMOUS);
        move.stop();
        move.completePrecopy();
        move.destination.memory().asSink().storeZero(ChurnLayout.ROM, 3);
        planted(Kind.LOST, move.destination);
    }
}
