// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static io.godwit.wire.Wire.BLOCKS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.wire.ReturnPathMessage.Pong;
import io.godwit.wire.ReturnPathMessage.RecvBitmap;
import io.godwit.wire.ReturnPathMessage.ReqPages;
import io.godwit.wire.ReturnPathMessage.ReqPagesId;
import io.godwit.wire.ReturnPathMessage.ResumeAck;
import io.godwit.wire.ReturnPathMessage.Shut;
import io.godwit.wire.ReturnPathMessage.SwitchoverAck;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ReturnPathTest {
    private static final long TRAILER = 0x0123456789abcdefL;

    private final ReturnPathEncoder encoder = new ReturnPathEncoder(BLOCKS);

    private String hex(ReturnPathMessage message) {
        return HexFormat.ofDelimiter(" ").formatHex(encoder.bytes(message));
    }

    @Test
    void writesTheLayoutsOfTheSpecification() {
        assertThat(hex(new Shut(0))).isEqualTo("00 01 00 04 00 00 00 00");
        assertThat(hex(new Pong(0x42))).isEqualTo("00 02 00 04 00 00 00 42");
        assertThat(hex(new ReqPagesId("rom", 0, 4096)))
                .isEqualTo("00 03 00 10 00 00 00 00 00 00 00 00 00 00 10 00 03 72 6f 6d");
        assertThat(hex(new ReqPages(0x3000, 8192))).isEqualTo("00 04 00 0c 00 00 00 00 00 00 30 00 00 00 20 00");
        assertThat(hex(new ResumeAck(1))).isEqualTo("00 06 00 04 00 00 00 01");
        assertThat(hex(new SwitchoverAck())).isEqualTo("00 07 00 00");
        PageBitmap one = new PageBitmap(1);
        one.set(0);
        assertThat(hex(new RecvBitmap(1, one)))
                .isEqualTo("00 05 00 04 03 72 6f 6d 00 00 00 00 00 00 00 08 01 00 00 00 00 00 00 00"
                        + " 01 23 45 67 89 ab cd ef");
    }

    static Stream<Arguments> wrong() {
        return Stream.of(
                arguments(new Wire().u16(0).u16(0), 4, "unknown message 0"),
                arguments(new Wire().u16(8).u16(0), 4, "unknown message 8"),
                arguments(new Wire().u16(0xffff).u16(4), 4, "unknown message 65535"),
                arguments(new Wire().u16(1).u16(5), 2, "message 1 with a payload of 5 bytes"),
                arguments(new Wire().u16(2).u16(0), 2, "message 2 with a payload of 0 bytes"),
                arguments(new Wire().u16(3).u16(13), 2, "message 3 with a payload of 13 bytes"),
                arguments(new Wire().u16(3).u16(513), 2, "message 3 with a payload of 513 bytes"),
                arguments(new Wire().u16(4).u16(13), 2, "message 4 with a payload of 13 bytes"),
                arguments(new Wire().u16(5).u16(1), 2, "message 5 with a payload of 1 bytes"),
                arguments(new Wire().u16(6).u16(0), 2, "message 6 with a payload of 0 bytes"),
                arguments(new Wire().u16(7).u16(4), 2, "message 7 with a payload of 4 bytes"),
                arguments(new Wire().u16(4).u16(12).u64(0).u32(4096), 12, "no REQ_PAGES_ID has named"),
                arguments(named("nope", 0, 4096), 4, "no RAM block is named 'nope'"),
                arguments(named("rom", 4096, 4096), 16, "a request for 4096 bytes at 0x1000 of block 'rom'"),
                arguments(named("rom", 0, 8192), 16, "a request for 8192 bytes"),
                arguments(named("rom", 0, 0), 16, "a request for 0 bytes"),
                arguments(named("rom", 0, 100), 16, "not of whole pages"),
                arguments(named("rom", 7, 4096), 16, "not of whole pages"),
                arguments(named("rom", -4096, 4096), 16, "0xfffffffffffff000"),
                arguments(named("rom", 0, 0xfffff000L), 16, "a request for 4294963200 bytes"),
                arguments(bitmap("nope", 8).zeros(8), 20, "no RAM block is named 'nope'"),
                arguments(bitmap("rom", 16), 8, "a bitmap of 16 bytes for block 'rom', whose 1 pages take 8"),
                arguments(bitmap("rom", -8), 8, "a bitmap of 18446744073709551608 bytes"),
                arguments(bitmap("rom", 1L << 40), 8, "a bitmap of 1099511627776 bytes"),
                arguments(bitmap("rom", 8).u8(2).zeros(7), 8, "has bits past its last page"),
                arguments(bitmap("rom", 8).u8(1).zeros(7).u64(~TRAILER), 8, "ends with 0xfedcba9876543210"));
    }

    private static Wire request(long offset, long length) {
        return new Wire().u64(offset).u32(length);
    }

    private static Wire named(String block, long offset, long length) {
        return new Wire()
                .u16(3)
                .u16(13 + block.length())
                .bytes(request(offset, length).toBytes())
                .str8(block);
    }

    private static Wire bitmap(String block, long size) {
        return new Wire().u16(5).u16(1 + block.length()).str8(block).u64(size);
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void isToldWithItsPlace(Wire stream, int back, String reason) {
        ByteBuffer in = ByteBuffer.wrap(stream.toBytes());
        ReturnPathDecoder decoder = new ReturnPathDecoder(BLOCKS);

        WireException refusal = catchThrowableOfType(WireException.class, () -> {
            decoder.next(in);
        });

        assertThat(refusal).isNotNull();
        assertThat(refusal.reason()).contains(reason);
        assertThat(refusal.channel()).isEqualTo("return path");
        assertThat(refusal.offset()).isEqualTo(stream.size() - back);
        assertThatThrownBy(() -> decoder.next(in)).isSameAs(refusal);
    }

    @Test
    void requestsRememberTheirBlockPerConnection() throws Exception {
        ByteBuffer in = ByteBuffer.allocate(100);
        encoder.write(new ReqPagesId("rom", 0, 4096), in);
        encoder.write(new ReqPages(0, 4096), in);
        encoder.write(new ReqPagesId("pc.ram", 8192, 4096), in);
        encoder.write(new ReqPages(60 * 4096, 4 * 4096), in);
        in.flip();
        ReturnPathDecoder decoder = new ReturnPathDecoder(BLOCKS);

        assertThat(decoder.lastBlock()).isEqualTo(-1);
        assertThat(decoder.next(in)).isEqualTo(new ReqPagesId("rom", 0, 4096));
        assertThat(decoder.next(in)).isEqualTo(new ReqPages(0, 4096));
        assertThat(decoder.lastBlock()).isEqualTo(1);
        assertThat(decoder.next(in)).isEqualTo(new ReqPagesId("pc.ram", 8192, 4096));
        assertThat(decoder.next(in)).isEqualTo(new ReqPages(60 * 4096, 4 * 4096));
        assertThat(decoder.lastBlock()).isZero();
        assertThat(decoder.next(in)).isNull();
    }

    @Test
    void hugePagesAreRequestedWhole() throws Exception {
        BlockTable huge = new BlockTable(List.of(new BlockInfo("m0", 8 << 20, 2 << 20)));
        ReturnPathEncoder to = new ReturnPathEncoder(huge);

        assertThat(new ReturnPathDecoder(huge).next(ByteBuffer.wrap(to.bytes(new ReqPagesId("m0", 2 << 20, 2 << 20)))))
                .isEqualTo(new ReqPagesId("m0", 2 << 20, 2 << 20));
        assertThatThrownBy(() -> new ReturnPathDecoder(huge)
                        .next(ByteBuffer.wrap(to.bytes(new ReqPagesId("m0", 2 << 20, 4096)))))
                .hasMessageContaining("not of whole pages");
    }

    @Test
    void aBitmapOfATerabyteGoesThroughASmallBuffer() throws Exception {
        BlockTable large = new BlockTable(List.of(BlockInfo.of("m0", 1L << 40)));
        PageBitmap bitmap = new PageBitmap(1L << 28);
        for (long p = 5; p < bitmap.pages(); p += 1_000_003) {
            bitmap.set(p);
        }
        RecvBitmap answer = new RecvBitmap(0, bitmap);
        ReturnPathEncoder.BitmapWriter writer = new ReturnPathEncoder(large).bitmap(answer);
        ReturnPathDecoder decoder = new ReturnPathDecoder(large);
        ByteBuffer pipe = ByteBuffer.allocateDirect(1 << 16);
        ReturnPathMessage received = null;
        boolean written = false;
        while (received == null) {
            assertThat(written).as("all was written and nothing came of it").isFalse();
            written = writer.write(pipe);
            received = decoder.next(pipe.flip());
            pipe.compact();
        }

        assertThat(received).isEqualTo(answer);
        assertThat(decoder.offset())
                .isEqualTo(4 + 3 + 8 + (32L << 20) + 8)
                .isEqualTo(new ReturnPathEncoder(large).size(answer));
    }

    @Test
    void aBitmapOfAnotherLengthIsOurMistake() {
        assertThatThrownBy(() -> encoder.bytes(new RecvBitmap(1, new PageBitmap(2))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a bitmap of 2 pages");
        assertThatThrownBy(() -> encoder.write(new RecvBitmap(0, new PageBitmap(64)), ByteBuffer.allocate(30)))
                .isInstanceOf(BufferOverflowException.class);
    }

    @Test
    void saysHowManyBytesAreMissing() throws Exception {
        byte[] bytes = encoder.bytes(new ReqPagesId("rom", 0, 4096));
        ReturnPathDecoder decoder = new ReturnPathDecoder(BLOCKS);
        ByteBuffer in = ByteBuffer.wrap(bytes);

        assertThat(decoder.next(in.limit(0))).isNull();
        assertThat(decoder.needed()).isEqualTo(4);
        assertThat(decoder.next(in.limit(4))).isNull();
        assertThat(decoder.needed()).isEqualTo(16);
        assertThat(decoder.next(in.limit(20))).isNotNull();
    }
}
