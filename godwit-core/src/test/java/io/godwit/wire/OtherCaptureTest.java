// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.godwit.page.BlockTable;
import io.godwit.wire.Captures.Connection;
import io.godwit.wire.ReturnPathMessage.Pong;
import io.godwit.wire.ReturnPathMessage.RecvBitmap;
import io.godwit.wire.ReturnPathMessage.ResumeAck;
import io.godwit.wire.ReturnPathMessage.Shut;
import io.godwit.wire.ReturnPathMessage.SwitchoverAck;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every return path and every preempt channel that was recorded from QEMU. */
class OtherCaptureTest {
    private static final int EDGE = 64 << 10;

    static List<Connection> preempt() {
        List<Connection> channels = Captures.all().stream()
                .filter(c -> c.vector().contains("preempt") && c.connection().endsWith(".c1"))
                .toList();
        assertThat(channels).hasSize(10);
        return channels;
    }

    static List<Connection> returnPaths() {
        return MainCaptureTest.covered().stream()
                .filter(c -> !c.connection().equals("stream") && c.backward().length > 0)
                .toList();
    }

    private static List<Feed.Pieces> splits(Random random) {
        return List.of(
                Feed.Pieces.of(1 << 20),
                Feed.Pieces.atTheEdges(1, EDGE, random),
                Feed.Pieces.atTheEdges(7, EDGE, random),
                Feed.Pieces.random(random, 9_000));
    }

    @TestFactory
    Stream<DynamicTest> preemptChannels() {
        Random random = Seed.random("preemptChannels");
        return preempt().stream()
                .map(c -> dynamicTest(c.toString(), () -> {
                    byte[] bytes = c.forward();
                    BlockTable blocks = MainCaptureTest.context(c).blocks();
                    for (Feed.Pieces pieces : splits(random)) {
                        PreemptDecoder decoder = new PreemptDecoder(blocks);
                        Echo echo = new Echo(bytes);
                        int left = new Feed(bytes, StreamDecoder.MIN_BUFFER)
                                .<StreamMessage>all(pieces, decoder::next, echo::expect);

                        // v100-postcopy-recover-preempt/r0.c1 is the one that was cut within a page; the others end
                        // between records.
                        assertThat(echo.at() + left).isEqualTo(bytes.length);
                        assertThat(decoder.offset()).isEqualTo(echo.at());
                        assertThat(left == 0 || c.connection().startsWith("r0")).isTrue();
                        boolean oldSource =
                                c.vector().startsWith("v72") || c.vector().contains("to-v72");
                        boolean closedByTheSource = oldSource && bytes.length > 0;
                        assertThat(decoder.ended()).isEqualTo(closedByTheSource);
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> returnPathsDecodeAndEncodeBack() {
        Random random = Seed.random("returnPathsDecodeAndEncodeBack");
        return returnPaths().stream()
                .map(c -> dynamicTest(c.toString(), () -> {
                    byte[] bytes = c.backward();
                    BlockTable blocks = MainCaptureTest.context(c).blocks();
                    List<ReturnPathMessage> whole = new ArrayList<>();
                    for (Feed.Pieces pieces : splits(random)) {
                        ReturnPathDecoder decoder = new ReturnPathDecoder(blocks);
                        ReturnPathEncoder encoder = new ReturnPathEncoder(blocks);
                        Echo echo = new Echo(bytes);
                        List<ReturnPathMessage> messages = new ArrayList<>();
                        int left = new Feed(bytes, ReturnPathDecoder.MIN_BUFFER)
                                .<ReturnPathMessage>all(pieces, decoder::next, message -> {
                                    echo.expect(encoder, message);
                                    messages.add(message);
                                });

                        assertThat(left).isZero();
                        assertThat(echo.at()).isEqualTo(bytes.length);
                        assertThat(decoder.offset()).isEqualTo(bytes.length);
                        assertThat(whole.isEmpty() || whole.equals(messages)).isTrue();
                        whole = messages;
                    }
                    checkOrder(c, whole);
                }));
    }

    /** {@code spec/return-path.md §6, §7}. */
    private static void checkOrder(Connection c, List<ReturnPathMessage> messages) {
        boolean acknowledges =
                c.vector().contains("switchover-ack") && !c.vector().equals("v111-precopy-switchover-ack");
        if (c.isRecovery()) {
            assertThat(messages.getFirst()).isInstanceOf(RecvBitmap.class);
            boolean answered = messages.contains(new ResumeAck(1));
            assertThat(messages.contains(new Shut(0))).isEqualTo(answered);
        } else if (acknowledges) {
            assertThat(messages).startsWith(new SwitchoverAck(), new Pong(1));
        } else {
            assertThat(messages).startsWith(new Pong(1));
        }
    }

    @Test
    void aReceivedBitmapHoldsNoPageThatWasNotSent() throws Exception {
        Connection before = new Connection("v100-postcopy-recover", "r0.c0");
        Connection after = new Connection("v100-postcopy-recover", "r1.c0");
        Captures.folder();
        BlockTable blocks = MainCaptureTest.context(before).blocks();
        List<io.godwit.page.PageBitmap> sent = blocks.list().stream()
                .map(b -> new io.godwit.page.PageBitmap(b.pages()))
                .toList();
        StreamDecoder decoder = MainCaptureTest.decoder(before);
        new Feed(before.forward(), 1 << 16).<StreamMessage>all(Feed.Pieces.of(1 << 16), decoder::next, message -> {
            if (message instanceof PageRecord page) {
                sent.get(page.block()).set(page.page());
            }
        });

        List<RecvBitmap> bitmaps = new ArrayList<>();
        ReturnPathDecoder back = new ReturnPathDecoder(blocks);
        new Feed(after.backward(), 1 << 16).<ReturnPathMessage>all(Feed.Pieces.of(1 << 16), back::next, message -> {
            if (message instanceof RecvBitmap bitmap) {
                bitmaps.add(bitmap);
            }
        });

        assertThat(bitmaps).hasSize(blocks.size());
        assertThat(bitmaps.getFirst().bitmap().cardinality()).isGreaterThan(100);
        for (RecvBitmap bitmap : bitmaps) {
            for (long p = bitmap.bitmap().nextSet(0);
                    p >= 0;
                    p = bitmap.bitmap().nextSet(p + 1)) {
                assertThat(sent.get(bitmap.block()).get(p)).isTrue();
            }
        }
    }
}
