// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.memory.Backing;
import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.SAME_THREAD) // threads are counted
class ChurnGuestTest {
    private static final long SIZE = 512 * Pages.SIZE;
    private static final ChurnOptions BUSY = ChurnOptions.of(SIZE).withWriters(2, 0);

    private final List<ChurnGuest> guests = new ArrayList<>();

    private ChurnGuest create(ChurnOptions options) throws IOException {
        guests.add(ChurnGuest.create(options, Backing.ANONYMOUS));
        return guests.getLast();
    }

    private ChurnGuest incoming(long size) throws IOException {
        guests.add(ChurnGuest.incoming(size, Backing.ANONYMOUS));
        return guests.getLast();
    }

    @AfterEach
    void free() throws Exception {
        for (ChurnGuest guest : guests) {
            Stopped.stop(guest);
            guest.close();
            guest.memory().close();
        }
    }

    private static long threads(String prefix) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith(prefix) && thread.isDaemon() && !thread.isVirtual())
                .count();
    }

    @Test
    void aNewGuestHasItsBlocksAndSound() throws Exception {
        ChurnGuest guest = create(BUSY);
        assertThat(guest.machine()).isEqualTo("godwit-churn");
        assertThat(guest.memory().blocks().list())
                .containsExactly(
                        BlockInfo.of("churn.ram", SIZE),
                        BlockInfo.of("churn.vram", 1 << 20),
                        BlockInfo.of("churn.rom", 256 << 10))
                .isEqualTo(ChurnGuest.blocks(SIZE));
        assertThat(guest.isRunning()).isFalse();
        assertThat(guest.verify().summary())
                .isEqualTo("all 832 pages hold what the guest wrote last, and it met no other while it ran");
        assertThat(guest.verify().ok()).isTrue();
        assertThat(guest.options()).isEqualTo(BUSY);
    }

    @Test
    void theSharesAreWhatWasAsked() throws Exception {
        ChurnGuest guest = create(ChurnOptions.of(800 * Pages.SIZE).withShares(25, 50));
        int zero = 0;
        for (int block = 0; block < 2; block++) {
            for (long page = 0; page < guest.memory().block(block).pages(); page++) {
                zero += guest.memory().asSource().isZero(block, page) ? 1 : 0;
            }
        }
        // 1056 pages in two blocks, of which 264 hot and 528 cold.
        assertThat(zero).isEqualTo(264);
    }

    @Test
    void itRunsOnItsThreadsStopsAndGoesOnWhereItStopped() throws Exception {
        ChurnGuest guest = create(BUSY.withReaders(1, 0));
        guest.start();
        guest.start();
        assertThat(guest.isRunning()).isTrue();
        Stopped.until(
                "all write and read",
                () -> guest.stats().pagesRead() > 100
                        && guest.stats().writers().stream().allMatch(writer -> writer.pages() > 100));
        assertThat(threads("churn-writer-")).isEqualTo(2);
        assertThat(threads("churn-reader-")).isEqualTo(1);
        Stopped.stop(guest);
        ChurnStats stopped = guest.stats();
        assertThat(guest.verify().ok()).as(guest.verify().summary()).isTrue();
        assertThat(guest.stats()).isEqualTo(stopped);

        for (int i = 0; i < 20; i++) {
            guest.start();
            long before = guest.stats().pagesWritten();
            Stopped.until("it writes on", () -> guest.stats().pagesWritten() > before);
            Stopped.stop(guest);
            assertThat(guest.verify().ok()).as(guest.verify().summary()).isTrue();
        }
        assertThat(guest.stats().pagesWritten()).isGreaterThan(stopped.pagesWritten());
        Stopped.until("its threads end", () -> threads("churn-writer-") == 0);
    }

    @Test
    void aStopIsPromptAlsoForAWriterThatHoldsItselfBack() throws Exception {
        ChurnGuest guest = create(BUSY.withWriters(2, 2));
        guest.start();
        Stopped.until("both have written", () -> guest.stats().pagesWritten() >= 2);
        long asked = System.nanoTime();
        Stopped.stop(guest);
        assertThat(System.nanoTime() - asked).isLessThan(400_000_000L);
    }

    @Test
    void whoAsksForAStopWhileItStopsOrAfterwardsIsToldToo() throws Exception {
        ChurnGuest guest = create(BUSY);
        CountDownLatch told = new CountDownLatch(3);
        guest.start();
        guest.stop(told::countDown);
        guest.stop(told::countDown);
        Stopped.stop(guest);
        guest.stop(told::countDown);
        assertThat(told.await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aStartWhileItStopsStartsItAgain() throws Exception {
        ChurnGuest guest = create(BUSY);
        for (int i = 0; i < 50; i++) {
            guest.start();
            CountDownLatch told = new CountDownLatch(1);
            guest.stop(told::countDown);
            guest.start();
            assertThat(told.await(10, TimeUnit.SECONDS)).isTrue();
            Stopped.until("it runs again", guest::isRunning);
            Stopped.stop(guest);
            assertThat(guest.verify().ok()).isTrue();
        }
    }

    @Test
    void writersKeepToTheirRate() throws Exception {
        ChurnGuest guest = create(BUSY.withWriters(3, 5_000));
        guest.start();
        Stopped.until("it begins", () -> guest.stats().pagesWritten() > 0);
        long begin = System.nanoTime();
        long before = guest.stats().pagesWritten();
        Stopped.until("half a second", () -> System.nanoTime() - begin > 500_000_000);
        long pages = guest.stats().pagesWritten() - before;
        double seconds = (System.nanoTime() - begin) / 1e9;
        Stopped.stop(guest);
        assertThat(pages / seconds).as("pages per second").isBetween(1_000.0, 5_500.0);
    }

    @Test
    void aGuestWithoutWritersIsIdleAndRunsAllTheSame() throws Exception {
        ChurnGuest guest = create(ChurnOptions.idle(SIZE));
        guest.start();
        assertThat(guest.isRunning()).isTrue();
        assertThat(threads("churn-writer-") + threads("churn-reader-")).isZero();
        Stopped.stop(guest);
        assertThat(guest.verify().ok()).isTrue();
        assertThat(guest.memory().asSource().isZero(0, 17)).isFalse();
    }

    @Test
    void thePayloadMayBeShorterThanThePage() throws Exception {
        ChurnGuest guest = create(BUSY.withPayloadBytes(1024));
        Stopped.runSweeps(guest, 2);
        assertThat(guest.verify().ok()).isTrue();
        long[] words = new long[512];
        guest.memory().block("churn.rom").readPage(0, words);
        assertThat(words[127]).isNotZero();
        assertThat(java.util.Arrays.copyOfRange(words, 128, 512)).containsOnly(0);
        words[300] = 1;
        guest.memory().block("churn.rom").writePage(0, words);
        assertThat(guest.verify().damages()).hasSize(1);
    }

    @Test
    void aThreadThatFailsIsADamageAndTheOthersGoOn() throws Exception {
        ChurnGuest guest = create(BUSY);
        guest.start();
        Stopped.until("it writes", () -> guest.stats().pagesWritten() > 0);
        guest.memory().close();
        Stopped.until("it fails", () -> guest.firstDamage() != null);
        assertThat(guest.firstDamage())
                .asString()
                .startsWith("thread churn-writer-")
                .endsWith(": a failure of the guest itself");
        assertThat(guest.isRunning()).isTrue();
        Stopped.stop(guest);
    }

    @Test
    void whatNeedsAStoppedGuestRefusesARunningOne() throws Exception {
        ChurnGuest guest = create(BUSY);
        guest.start();
        assertThatThrownBy(guest::verify).hasMessage("cannot verify a running guest: stop it first");
        assertThatThrownBy(guest::saveDevices).hasMessage("cannot save the state of a running guest: stop it first");
        assertThatThrownBy(() -> guest.loadDevices(List.of())).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aClosedGuestDoesNotStart() throws Exception {
        ChurnGuest guest = create(BUSY);
        guest.start();
        guest.close();
        Stopped.until("it ends", () -> threads("churn-writer-") == 0);
        assertThatThrownBy(guest::start).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatTravelsMakesTheSameGuestElsewhere() throws Exception {
        ChurnGuest source = create(BUSY.withReaders(1, 7).withPayloadBytes(2048).withSeed(-5));
        Stopped.runSweeps(source, 2);
        List<DeviceSection> sections = source.saveDevices();
        assertThat(sections)
                .extracting(DeviceSection::idstr)
                .containsExactly("churn/config", "churn/writer", "churn/writer");
        assertThat(sections).extracting(DeviceSection::instanceId).containsExactly(0, 0, 1);

        ChurnGuest destination = incoming(SIZE);
        destination.loadDevices(sections);
        assertThat(destination.options()).isEqualTo(source.options());
        assertThat(destination.stats().writers()).isEqualTo(source.stats().writers());
        assertThat(destination.saveDevices()).usingRecursiveComparison().isEqualTo(sections);
        assertThat(destination.verify().damaged()).as("its memory is empty").isGreaterThan(500);
    }

    @Test
    void aGuestWithoutStateCannotStart() throws Exception {
        ChurnGuest guest = incoming(SIZE);
        assertThatThrownBy(guest::start).hasMessage("this guest waits for its device state");
        assertThat(guest.stats().writers()).isEmpty();
    }

    @Test
    void aStateThatIsNotThisGuestsIsRefusedInASentence() throws Exception {
        ChurnGuest source = create(BUSY);
        List<DeviceSection> good = source.saveDevices();
        DeviceSection config = good.getFirst();
        ChurnGuest other = incoming(2 * SIZE);
        refused(
                other,
                good,
                "the guest that comes has 2097152 bytes of RAM, but this one was made with 4194304; give both sides the"
                        + " same size");
        ChurnGuest guest = incoming(SIZE);
        refused(guest, List.of(), "the device state is empty; a churn guest's begins with 'churn/config'");
        refused(
                guest,
                good.subList(0, 2),
                "the device state has 1 sections after 'churn/config', but the guest has 2 writers");
        refused(
                guest,
                List.of(good.get(1), config),
                "device section 'churn/writer' instance 0 stands where a churn guest has 'churn/config' instance 0");
        refused(
                guest,
                List.of(new DeviceSection("churn/config", 0, 2, config.body())),
                "device section 'churn/config' instance 0 has version 2, but this guest knows only version 1; run the same"
                        + " Godwit on both sides");
        refused(
                guest,
                List.of(new DeviceSection("churn/config", 0, 1, new byte[3])),
                "device section 'churn/config' instance 0 has 3 bytes, but version 1 has 60");
        byte[] hostile = config.body().clone();
        hostile[16] = 0x7f;
        refused(
                guest,
                List.of(new DeviceSection("churn/config", 0, 1, hostile)),
                "a guest has 0 to 1024 writers, got 2130706434");
        byte[] beyond = good.get(1).body().clone();
        beyond[0] = 1;
        refused(
                guest,
                List.of(config, new DeviceSection("churn/writer", 0, 1, beyond), good.get(2)),
                "writer 0 is said to be at position 72057594037927936 of sweep 1, but it owns 32 pages and sweeps count"
                        + " from 1");
        guest.loadDevices(good);
    }

    private static void refused(ChurnGuest guest, List<DeviceSection> sections, String sentence) {
        assertThatThrownBy(() -> guest.loadDevices(sections))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(sentence);
    }
}
