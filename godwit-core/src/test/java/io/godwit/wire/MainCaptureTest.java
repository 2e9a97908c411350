// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.godwit.page.PageBitmap;
import io.godwit.wire.Captures.Connection;
import io.godwit.wire.StreamMessage.DeviceState;
import io.godwit.wire.StreamMessage.Packaged;
import io.godwit.wire.StreamMessage.VmDescription;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every main channel that was recorded from QEMU. */
class MainCaptureTest {
    /** Connections that were cut before their end. */
    private static boolean wasCut(Connection c) {
        boolean broken = c.vector().contains("-recover") && c.connection().startsWith("r0");
        boolean brokenAgain = (c.vector().contains("-twice") || c.vector().contains("break-in-recover"))
                && c.connection().startsWith("r1");
        return broken
                || brokenAgain
                || c.vector().endsWith("-cancel")
                || c.vector().endsWith("-netfail");
    }

    /** Captures whose pages travel beside the main channel, or not at all for some block. */
    private static boolean pagesGoElsewhere(Connection c) {
        return c.vector().contains("multifd")
                || c.vector().contains("ignore-shared")
                || c.vector().contains("preempt");
    }

    static DecoderOptions options(Connection c) {
        return DecoderOptions.PLAIN
                .withPostcopyRam(c.vector().contains("postcopy"))
                .withIgnoreShared(c.vector().contains("ignore-shared"))
                .withMultifd(c.vector().contains("multifd"))
                .withXbzrle(c.vector().contains("xbzrle"))
                .withCompress(c.vector().contains("compress"));
    }

    /** The main channels that the decoder covers. */
    static List<Connection> covered() {
        List<Connection> covered = Captures.all().stream()
                .filter(c -> !c.connection().equals("mapped"))
                .filter(c -> c.connection().equals("stream") || c.connection().endsWith(".c0"))
                .toList();
        assertThat(covered).hasSizeGreaterThan(70);
        return covered;
    }

    /** What the first connection taught. */
    static StreamContext context(Connection c) throws WireException {
        byte[] bytes = c.first().forward();
        StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, options(c));
        new Feed(Arrays.copyOf(bytes, Math.min(bytes.length, 1 << 16)), StreamDecoder.MIN_BUFFER)
                .all(Feed.Pieces.of(4096), decoder::next, m -> {});
        return Objects.requireNonNull(decoder.context());
    }

    static StreamDecoder decoder(Connection c) throws WireException {
        return c.isRecovery()
                ? StreamDecoder.recovery(StreamLimits.DEFAULT, options(c), context(c))
                : new StreamDecoder(StreamLimits.DEFAULT, options(c));
    }

    @TestFactory
    Stream<DynamicTest> decodesToTheLastByteAndEncodesBackToTheSameBytes() {
        return covered().stream()
                .map(c -> dynamicTest(c.toString(), () -> {
                    byte[] bytes = c.forward();
                    run(c, bytes, Feed.Pieces.of(1 << 20), 1 << 20);
                }));
    }

    @TestFactory
    Stream<DynamicTest> givesTheSameMessagesFromAnySplit() {
        Random random = Seed.random("givesTheSameMessagesFromAnySplit");
        return covered().stream()
                .map(c -> dynamicTest(c.toString(), () -> {
                    byte[] bytes = c.forward();
                    List<String> whole = run(c, bytes, Feed.Pieces.of(1 << 20), 1 << 20);
                    int edge = 160 << 10;
                    for (Feed.Pieces pieces : List.of(
                            Feed.Pieces.atTheEdges(1, edge, random),
                            Feed.Pieces.atTheEdges(7, edge, random),
                            Feed.Pieces.random(random, 9_000))) {
                        assertThat(run(c, bytes, pieces, StreamDecoder.MIN_BUFFER))
                                .isEqualTo(whole);
                    }
                }));
    }

    /** Decodes, encodes each message again, and returns all but the pages as text. */
    private static List<String> run(Connection c, byte[] bytes, Feed.Pieces pieces, int capacity) throws Exception {
        StreamDecoder decoder = decoder(c);
        Echo echo = new Echo(bytes);
        List<String> messages = new ArrayList<>();
        List<StreamMessage> ends = new ArrayList<>();
        List<PageBitmap> pages = new ArrayList<>();
        if (c.isRecovery()) {
            Objects.requireNonNull(decoder.context())
                    .blocks()
                    .list()
                    .forEach(b -> pages.add(new PageBitmap(b.pages())));
        }
        int left = new Feed(bytes, capacity).<StreamMessage>all(pieces, decoder::next, message -> {
            echo.expect(message);
            if (message instanceof PageRecord page) {
                pages.get(page.block()).set(page.page());
                return;
            }
            if (message instanceof EncodedPage page) {
                pages.get(page.block()).set(page.page());
                return;
            }
            messages.add(message.toString());
            if (message instanceof StreamMessage.MemSize list) {
                list.infos().forEach(b -> pages.add(new PageBitmap(b.pages())));
            } else if (message instanceof DeviceState
                    || message instanceof VmDescription
                    || message instanceof Packaged) {
                ends.add(message);
            }
        });
        if (wasCut(c)) {
            assertThat(decoder.ended()).isFalse();
            assertThat(decoder.needed()).isPositive();
            assertThat(echo.at() + left)
                    .as("every byte is decoded or waits for more")
                    .isEqualTo(bytes.length);
            return messages;
        }
        assertThat(decoder.ended()).as("the stream is complete").isTrue();
        assertThat(left).isZero();
        assertThat(decoder.offset()).isEqualTo(bytes.length);
        assertThat(echo.at()).isEqualTo(bytes.length);
        if (!pagesGoElsewhere(c) && !c.isRecovery()) {
            assertThat(pages).allSatisfy(b -> assertThat(b.nextClear(0)).isEqualTo(-1));
        }
        checkDevices(c, ends);
        return messages;
    }

    private static void checkDevices(Connection c, List<StreamMessage> ends) throws WireException {
        if (c.isRecovery()) {
            assertThat(ends).isEmpty();
        } else if (c.vector().contains("-postcopy")) {
            PackagedBlob blob = PackagedBlob.parse((Packaged) ends.getFirst(), 0);
            assertThat(ends).hasSize(1);
            assertThat(blob.pings()).isEqualTo(c.vector().startsWith("v111") ? List.of(3, 0x42) : List.of(3));
            assertThat(blob.encode()).isEqualTo(ends.getFirst());
            assertThat(DeviceSections.scan(blob.devices())).hasSizeGreaterThan(15);
        } else {
            assertThat(ends).hasSize(2);
            byte[] run = ((DeviceState) ends.getFirst()).verbatim();
            List<DescribedDevice> described = DescribedDevice.parse(((VmDescription) ends.getLast()).json(), 0);
            assertThat(described).hasSizeGreaterThan(15);
            assertThat(DeviceSections.scan(run)).isEqualTo(DeviceSections.cut(run, described));
        }
    }
}
