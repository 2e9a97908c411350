// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.Pages;
import io.godwit.wire.Captures.Connection;
import io.godwit.wire.StreamMessage.MemSize;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What QEMU's encoded pages make of the memory: the guest that was captured leaves a memory that can be told right from wrong. */
class EncodedCaptureTest {
    /** The guest counts up the first byte of each page from here on ... */
    private static final int FIRST = 0x100000 / Pages.SIZE;
    /** ... to here, again and again. */
    private static final int END = 0x300000 / Pages.SIZE;

    private final List<ByteBuffer> memory = new ArrayList<>();
    private final ByteBuffer delta = ByteBuffer.allocate(Pages.SIZE);
    private int records;
    private int zeroBefore;

    private void receive(Connection c) throws Exception {
        byte[] bytes = c.forward();
        StreamDecoder decoder = MainCaptureTest.decoder(c);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        try (PageInflater inflater = new PageInflater()) {
            for (StreamMessage m = decoder.next(in); m != null; m = decoder.next(in)) {
                switch (m) {
                    case MemSize list ->
                        list.infos().forEach(b -> memory.add(ByteBuffer.allocate((int) b.usedLength())));
                    case PageRecord page -> plain(page, bytes);
                    case EncodedPage page -> encoded(page, bytes, inflater);
                    default -> {}
                }
            }
        }
        assertThat(decoder.ended()).isTrue();
    }

    private void plain(PageRecord page, byte[] bytes) {
        byte[] content = new byte[Pages.SIZE];
        if (!page.zero()) {
            System.arraycopy(bytes, page.dataPosition(), content, 0, Pages.SIZE);
        }
        memory.get(page.block()).put((int) page.page() * Pages.SIZE, content);
    }

    private void encoded(EncodedPage page, byte[] bytes, PageInflater inflater) throws WireException {
        ByteBuffer block = memory.get(page.block());
        int at = (int) page.page() * Pages.SIZE;
        byte[] before = new byte[Pages.SIZE];
        block.get(at, before);
        if (page.encoding() == EncodedPage.Encoding.ZLIB) {
            inflater.inflate(page, block.position(at));
        } else {
            Xbzrle.apply(page, block, at);
            int n = Xbzrle.encode(ByteBuffer.wrap(before), 0, block, at, delta.clear(), Pages.SIZE);
            assertThat(Arrays.copyOf(delta.array(), n))
                    .as("we make of it what QEMU has made: %s", page)
                    .isEqualTo(Arrays.copyOfRange(bytes, page.dataPosition(), page.dataPosition() + page.dataLength()));
        }
        records++;
        zeroBefore += ByteBuffer.wrap(before).equals(ByteBuffer.allocate(Pages.SIZE)) ? 1 : 0;
    }

    /** Each round over the pages adds 1: from some page on, where the guest was stopped, they are one round behind. */
    private void isWhatTheGuestLeaves() {
        ByteBuffer ram = memory.getFirst();
        byte before = ram.get(FIRST * Pages.SIZE);
        int steps = 0;
        for (int page = FIRST; page < END; page++) {
            byte first = ram.get(page * Pages.SIZE);
            steps += first == before ? 0 : 1;
            assertThat(first == before || first == (byte) (before - 1))
                    .as("page %d begins with %d after %d", page, first, before)
                    .isTrue();
            before = first;
            for (int i = page * Pages.SIZE + 1; i < (page + 1) * Pages.SIZE; i++) {
                assertThat(ram.get(i)).as("byte 0x%x", i).isZero();
            }
        }
        assertThat(steps).isLessThanOrEqualTo(1);
        assertThat(before).as("the guest has run").isNotZero();
    }

    @Test
    void differences() throws Exception {
        receive(new Connection("v100-xbzrle", "r0.c0"));

        assertThat(records).isEqualTo(1536);
        assertThat(zeroBefore).as("they were to something").isZero();
        isWhatTheGuestLeaves();
    }

    @Test
    void zlibStreams() throws Exception {
        receive(new Connection("v72-compress-legacy", "r0.c0"));

        assertThat(records).isGreaterThan(500);
        isWhatTheGuestLeaves();
    }
}
