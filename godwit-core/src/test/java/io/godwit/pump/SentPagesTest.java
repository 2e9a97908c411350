// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.memory.Backing;
import io.godwit.memory.GuestMemory;
import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import io.godwit.pump.SentPages.Sent;
import io.godwit.wire.RecordEncoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What a source remembers of the pages it has sent. */
class SentPagesTest {
    @AutoClose
    private final GuestMemory memory = memory();

    private final RecordEncoder records = new RecordEncoder(memory.blocks());
    private final ByteBuffer out = ByteBuffer.allocate(RecordEncoder.MAX_RECORD);

    private static GuestMemory memory() {
        try {
            return GuestMemory.allocate(
                    List.of(BlockInfo.of("a", 600 * Pages.SIZE), BlockInfo.of("b", 5 * Pages.SIZE)), Backing.ANONYMOUS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(int block, long page, int at, int value) {
        memory.block(block)
                .write(
                        (page << Pages.SHIFT) + at,
                        ByteBuffer.allocate(1).put((byte) value).flip());
    }

    private Sent send(SentPages sent, int block, long page) {
        return sent.send(memory.asSource(), records, out.clear(), block, page);
    }

    @Test
    void theSecondTimeTheDifferenceIsEnough() {
        SentPages sent = new SentPages(memory.blocks(), SentPages.DEFAULT_BYTES);
        write(0, 7, 0, 1);

        assertThat(send(sent, 0, 7)).isEqualTo(Sent.PAGE);
        assertThat(out.position()).isEqualTo(8 + 2 + Pages.SIZE);
        assertThat(send(sent, 0, 7)).isEqualTo(Sent.NOTHING);
        assertThat(out.position()).isZero();
        write(0, 7, 300, 2);
        assertThat(send(sent, 0, 7)).isEqualTo(Sent.DIFFERENCE);
        assertThat(out.position()).as("word, mark, length, zrun, nzrun, a byte").isEqualTo(8 + 3 + 2 + 1 + 1);
        assertThat(send(sent, 0, 7)).as("the difference is remembered, too").isEqualTo(Sent.NOTHING);
    }

    @Test
    void aPageThatIsNewAsAWholeGoesWhole() {
        SentPages sent = new SentPages(memory.blocks(), SentPages.DEFAULT_BYTES);
        assertThat(send(sent, 1, 4)).isEqualTo(Sent.PAGE);
        for (int i = 0; i < Pages.SIZE; i++) {
            write(1, 4, i, i | 1);
        }

        assertThat(send(sent, 1, 4)).isEqualTo(Sent.PAGE);
        write(1, 4, 9, 100);
        assertThat(send(sent, 1, 4)).isEqualTo(Sent.DIFFERENCE);
    }

    @Test
    void whatWasSentOtherwiseIsForgotten() {
        SentPages sent = new SentPages(memory.blocks(), SentPages.DEFAULT_BYTES);
        send(sent, 0, 599);
        send(sent, 1, 0);
        sent.forget(0, 599);

        assertThat(send(sent, 1, 0)).as("another block's page is another page").isEqualTo(Sent.NOTHING);
        assertThat(send(sent, 0, 599)).isEqualTo(Sent.PAGE);
    }

    @Test
    void pagesThatShareAPlaceAreNeverTakenForEachOther() {
        SentPages two = new SentPages(memory.blocks(), 2 * Pages.SIZE);
        write(0, 10, 0, 1);
        write(0, 12, 0, 2);

        assertThat(send(two, 0, 10)).isEqualTo(Sent.PAGE);
        assertThat(send(two, 0, 11)).isEqualTo(Sent.PAGE);
        assertThat(send(two, 0, 12)).as("takes the place of page 10").isEqualTo(Sent.PAGE);
        two.forget(0, 10);
        assertThat(send(two, 0, 12)).as("is not page 10").isEqualTo(Sent.NOTHING);
        assertThat(send(two, 0, 11)).isEqualTo(Sent.NOTHING);
        assertThat(send(two, 0, 10)).isEqualTo(Sent.PAGE);
    }

    @Test
    void everyPlaceOfALargeMemoryIsItsOwn() {
        SentPages sent = new SentPages(memory.blocks(), SentPages.DEFAULT_BYTES);
        for (int page = 0; page < 600; page++) {
            write(0, page, 5, page);
            assertThat(send(sent, 0, page)).isEqualTo(Sent.PAGE);
        }
        for (int page = 0; page < 600; page++) {
            assertThat(send(sent, 0, page)).as("page %d", page).isEqualTo(Sent.NOTHING);
        }
    }
}
