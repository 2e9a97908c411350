// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.memory.Seeds;
import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PageSchedulerTest {
    private static final long[] LENGTHS = {70, 1, 130};

    private final BlockTable blocks = blocks(LENGTHS);
    private final PageScheduler scheduler = new PageScheduler(blocks);

    private static BlockTable blocks(long... pages) {
        List<BlockInfo> list = new ArrayList<>();
        for (long n : pages) {
            list.add(BlockInfo.of("block" + list.size(), n * Pages.SIZE));
        }
        return new BlockTable(list);
    }

    private static String shown(long address) {
        return address == PageScheduler.NONE
                ? "none"
                : PageScheduler.block(address) + ":" + PageScheduler.page(address);
    }

    private String urgent() {
        return shown(scheduler.takeUrgent());
    }

    private String background() {
        String foreseen = shown(scheduler.nextBackground());
        String taken = shown(scheduler.takeBackground());
        assertThat(taken).isEqualTo(foreseen);
        return taken;
    }

    private List<String> background(int n) {
        List<String> taken = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            taken.add(background());
        }
        return taken;
    }

    private PageBitmap[] received() {
        PageBitmap[] received = new PageBitmap[LENGTHS.length];
        for (int i = 0; i < received.length; i++) {
            received[i] = new PageBitmap(LENGTHS[i]);
        }
        return received;
    }

    @Test
    void anAddressIsTakenApartAgain() {
        long address = PageScheduler.address(1023, (1L << 40) - 1);

        assertThat(PageScheduler.block(address)).isEqualTo(1023);
        assertThat(PageScheduler.page(address)).isEqualTo((1L << 40) - 1);
    }

    @Test
    void nothingIsToBeSentBeforeItIsMarked() {
        assertThat(scheduler.remaining()).isZero();
        assertThat(background()).isEqualTo("none");
        assertThat(scheduler.request(0, 3)).isFalse();
        assertThat(scheduler.hasUrgent()).isFalse();
        assertThat(urgent()).isEqualTo("none");
    }

    @Test
    void everyPageGoesOnceInTheOrderOfTheMemory() {
        scheduler.markAll();
        List<String> expected = new ArrayList<>();
        for (int block = 0; block < LENGTHS.length; block++) {
            for (int page = 0; page < LENGTHS[block]; page++) {
                expected.add(block + ":" + page);
            }
        }

        assertThat(background(201)).isEqualTo(expected);

        assertThat(scheduler.remaining()).isZero();
        assertThat(background()).isEqualTo("none");
    }

    @Test
    void urgentPagesLeaveInTheOrderTheyWereAskedForAndTheBackgroundGoesOnBehindTheLast() {
        scheduler.markAll();
        assertThat(background(2)).containsExactly("0:0", "0:1");

        assertThat(scheduler.request(2, 100)).isTrue();
        assertThat(scheduler.request(0, 40)).isTrue();
        assertThat(scheduler.hasUrgent()).isTrue();
        assertThat(urgent()).isEqualTo("2:100");
        assertThat(urgent()).isEqualTo("0:40");
        assertThat(urgent()).isEqualTo("none");

        assertThat(background(2)).containsExactly("0:41", "0:42");
        assertThat(scheduler.remaining()).isEqualTo(201 - 6);
    }

    @Test
    void behindTheLastPageOfTheMemoryItsBeginningFollows() {
        scheduler.markAll();
        scheduler.request(2, 129);
        assertThat(urgent()).isEqualTo("2:129");

        assertThat(background(2)).containsExactly("0:0", "0:1");
        scheduler.request(0, 69);
        assertThat(urgent()).isEqualTo("0:69");
        assertThat(background(2)).containsExactly("1:0", "2:0");
    }

    @Test
    void theOnlyPageLeftIsFoundBehindTheCursorInTheSameBlock() {
        scheduler.dirty(2).set(5);
        scheduler.recount();
        scheduler.dirty(2).set(100);
        scheduler.recount();
        scheduler.request(2, 100);
        assertThat(urgent()).isEqualTo("2:100");

        assertThat(background()).isEqualTo("2:5");
        assertThat(background()).isEqualTo("none");
    }

    @Test
    void aPageIsQueuedOnceHoweverOftenItIsAskedFor() {
        scheduler.markAll();

        assertThat(scheduler.request(0, 7)).isTrue();
        assertThat(scheduler.request(0, 7)).isFalse();
        assertThat(urgent()).isEqualTo("0:7");
        assertThat(urgent()).isEqualTo("none");

        assertThat(scheduler.request(0, 7)).as("it was sent").isFalse();
    }

    @Test
    void aPageThatTheBackgroundHasTakenIsNoLongerUrgent() {
        scheduler.markAll();
        scheduler.request(0, 0);
        scheduler.request(0, 1);
        scheduler.request(2, 9);
        assertThat(background(2)).containsExactly("0:0", "0:1");

        assertThat(scheduler.hasUrgent()).isTrue();
        assertThat(urgent()).isEqualTo("2:9");
        assertThat(scheduler.hasUrgent()).isFalse();
        assertThat(scheduler.remaining()).isEqualTo(201 - 3);
    }

    @Test
    void aPageThatWasUrgentAndGetsDirtyAgainCanBeAskedForAgain() {
        scheduler.markAll();
        scheduler.request(0, 7);
        assertThat(urgent()).isEqualTo("0:7");
        scheduler.dirty(0).set(7);
        scheduler.recount();

        assertThat(scheduler.remaining()).isEqualTo(201);
        assertThat(scheduler.request(0, 7)).isTrue();
        assertThat(urgent()).isEqualTo("0:7");
    }

    @Test
    void aCrowdOfRequestsKeepsItsOrderWhileTheQueueGrowsAroundItsEnd() {
        scheduler.markAll();
        List<String> taken = new ArrayList<>();
        List<String> asked = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            scheduler.request(0, i);
            asked.add("0:" + i);
        }
        for (int i = 0; i < 30; i++) {
            taken.add(urgent());
        }
        for (int i = 0; i < 130; i++) {
            scheduler.request(2, i);
            asked.add("2:" + i);
        }
        for (int i = 0; i < 140; i++) {
            taken.add(urgent());
        }

        assertThat(taken).isEqualTo(asked);
        assertThat(scheduler.hasUrgent()).isFalse();
    }

    @Test
    void afterARecoveryWhatIsMissingIsSentAndNothingElse() {
        scheduler.markAll();
        background(150);
        scheduler.request(2, 100);
        PageBitmap[] received = received();
        received[0].setAll();
        received[0].clear(3);
        received[2].setRange(0, 128);

        scheduler.restart(received);

        assertThat(scheduler.remaining()).isEqualTo(1 + 1 + 2);
        assertThat(scheduler.hasUrgent()).as("the destination asks again").isFalse();
        List<String> rest = background(5);
        assertThat(rest).containsExactlyInAnyOrder("0:3", "1:0", "2:128", "2:129", "none");
        assertThat(rest).endsWith("none");
    }

    @Test
    void aRequestThatARecoveryForgotCanBeMadeAgain() {
        scheduler.markAll();
        scheduler.request(2, 100);
        scheduler.restart(received());

        assertThat(scheduler.request(2, 100)).isTrue();
        assertThat(urgent()).isEqualTo("2:100");

        scheduler.request(2, 101);
        scheduler.markAll();
        assertThat(scheduler.hasUrgent()).isFalse();
        assertThat(scheduler.request(2, 101)).isTrue();
        assertThat(background()).as("from the beginning on").isEqualTo("0:0");
    }

    @Test
    void aClaimToAPageThatWasNeverSentIsFound() {
        scheduler.markAll();
        background(80);
        PageBitmap[] claimed = received();
        claimed[0].setAll();
        claimed[1].setAll();
        claimed[2].setRange(0, 9);
        for (int block = 0; block < LENGTHS.length; block++) {
            assertThat(scheduler.firstFalseClaim(block, claimed[block]))
                    .as("block %d", block)
                    .isEqualTo(-1);
        }

        claimed[2].setRange(127, 130);
        assertThat(scheduler.firstFalseClaim(2, claimed[2])).isEqualTo(127);
        claimed[2].set(9);
        assertThat(scheduler.firstFalseClaim(2, claimed[2])).isEqualTo(9);
    }

    /** It left on a channel that was given up, a recovery asked for it, and then it came all the same: every later recovery hears of it. */
    @Test
    void aPageThatComesLateIsNoFalseClaim() {
        scheduler.markAll();
        background(80);
        PageBitmap[] claimed = received();
        claimed[0].set(0);
        scheduler.restart(claimed);
        claimed[0].set(7);
        assertThat(scheduler.dirty(0).get(7)).as("asked for again").isTrue();
        assertThat(scheduler.firstFalseClaim(0, claimed[0])).isEqualTo(-1);

        scheduler.restart(claimed);
        claimed[0].set(8);
        assertThat(scheduler.firstFalseClaim(0, claimed[0])).isEqualTo(-1);
        claimed[2].set(127);
        assertThat(scheduler.firstFalseClaim(2, claimed[2]))
                .as("it was never sent, after two recoveries neither")
                .isEqualTo(127);
    }

    @Test
    void aPageThatWasFirstSentAfterARecoveryIsNoFalseClaimAfterTheNext() {
        scheduler.markAll();
        PageBitmap[] nothing = received();
        scheduler.restart(nothing);
        assertThat(background()).isEqualTo("0:0");
        scheduler.restart(nothing);

        PageBitmap[] claimed = received();
        claimed[0].set(0);
        assertThat(scheduler.firstFalseClaim(0, claimed[0])).isEqualTo(-1);
        claimed[1].set(0);
        assertThat(scheduler.firstFalseClaim(1, claimed[1])).isZero();
    }

    @Test
    void afterAnEarlierProcessNoClaimIsKnownToBeFalse() {
        scheduler.markAllAgain();
        PageBitmap[] claimed = received();
        claimed[2].set(127);
        assertThat(scheduler.firstFalseClaim(2, claimed[2])).isEqualTo(-1);
        assertThat(scheduler.remaining()).isPositive();
    }

    @Test
    void doesWhatTheSimplestModelDoes() {
        Random random = new Random(Seeds.next());
        for (int world = 0; world < 60; world++) {
            long[] lengths = random.longs(1 + random.nextInt(4), 1, 150).toArray();
            PageSchedulerModel model = new PageSchedulerModel(lengths);
            PageScheduler real = new PageScheduler(blocks(lengths));
            for (int i = 0; i < 2_000; i++) {
                step(real, model, lengths, random);
                assertThat(real.remaining()).isEqualTo(model.dirty.cardinality());
            }
        }
    }

    private static void step(PageScheduler real, PageSchedulerModel model, long[] lengths, Random random) {
        int block = random.nextInt(lengths.length);
        long page = random.nextLong(lengths[block]);
        switch (random.nextInt(100)) {
            case 0 -> {
                real.markAll();
                model.markAll();
            }
            case 1 -> {
                PageBitmap[] received = new PageBitmap[lengths.length];
                for (int b = 0; b < lengths.length; b++) {
                    received[b] = new PageBitmap(lengths[b]);
                    for (int w = 0; w < received[b].wordCount(); w++) {
                        received[b].setWord(w, random.nextLong() | (1L << random.nextInt(64)));
                    }
                }
                real.restart(received);
                model.restart(received);
            }
            case 2, 3, 4, 5, 6 -> {
                real.dirty(block).set(page);
                real.recount();
                model.dirty.set(model.flat(block, page));
            }
            case 7, 8 -> assertThat(real.hasUrgent()).isEqualTo(model.hasUrgent());
            case 9 -> {
                PageBitmap claims = new PageBitmap(lengths[block]);
                claims.set(page);
                claims.set(random.nextLong(lengths[block]));
                assertThat(real.firstFalseClaim(block, claims)).isEqualTo(model.firstFalseClaim(block, claims));
            }
            default -> {
                switch (random.nextInt(3)) {
                    case 0 -> assertThat(real.request(block, page)).isEqualTo(model.request(block, page));
                    case 1 -> assertThat(shown(real.takeUrgent())).isEqualTo(shown(model.takeUrgent()));
                    default -> takeBackground(real, model, random);
                }
            }
        }
    }

    private static void takeBackground(PageScheduler real, PageSchedulerModel model, Random random) {
        long first = real.nextBackground();
        if (first == PageScheduler.NONE || random.nextBoolean()) {
            assertThat(shown(real.takeBackground())).isEqualTo(shown(model.takeBackground()));
            return;
        }
        int count = real.backgroundRun(1 + random.nextInt(6));
        assertThat(count).isPositive();
        real.takeBackground(count);
        for (int i = 0; i < count; i++) {
            assertThat(shown(first + i)).isEqualTo(shown(model.takeBackground()));
        }
    }
}
