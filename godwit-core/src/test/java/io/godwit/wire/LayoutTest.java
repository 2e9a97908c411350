// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.BlockInfo;
import io.godwit.wire.StreamMessage.Configuration;
import io.godwit.wire.StreamMessage.MemSize;
import io.godwit.wire.StreamMessage.RamDiscard;
import io.godwit.wire.StreamMessage.Range;
import io.godwit.wire.StreamMessage.RecvBitmap;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The bytes that {@code spec/stream.md} draws. */
class LayoutTest {
    private static String hex(String text) {
        return HexFormat.ofDelimiter(" ").formatHex(text.getBytes(UTF_8));
    }

    static Stream<Arguments> layouts() {
        Configuration full = new Configuration(
                "pc",
                OptionalInt.of(12),
                List.of("x-ignore-shared"),
                UUID.fromString("00112233-4455-6677-8899-aabbccddeeff"));
        return Stream.of(
                Arguments.of(new StreamMessage.Header(), "51 45 56 4d 00 00 00 03"),
                Arguments.of(Configuration.of("pc-i440fx-10.0"), "07 00 00 00 0e " + hex("pc-i440fx-10.0")),
                Arguments.of(
                        full,
                        "07 00 00 00 02 70 63"
                                + " 05 1e " + hex("configuration/target-page-bits") + " 00 00 00 01 00 00 00 0c"
                                + " 05 1a " + hex("configuration/capabilities") + " 00 00 00 01 00 00 00 01 0f "
                                + hex("x-ignore-shared")
                                + " 05 12 " + hex("configuration/uuid")
                                + " 00 00 00 01 00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff"),
                Arguments.of(StreamMessage.SectionStart.ram(2), "01 00 00 00 02 03 72 61 6d 00 00 00 00 00 00 00 04"),
                Arguments.of(new StreamMessage.SectionPart(2), "02 00 00 00 02"),
                Arguments.of(new StreamMessage.SectionEnd(-1), "03 ff ff ff ff"),
                Arguments.of(new StreamMessage.Footer(2), "7e 00 00 00 02"),
                Arguments.of(new StreamMessage.EndOfRecords(), "00 00 00 00 00 00 00 10"),
                Arguments.of(new StreamMessage.MultifdFlush(), "00 00 00 00 00 00 02 00"),
                Arguments.of(
                        MemSize.of(List.of(BlockInfo.of("a", 8192), BlockInfo.of("b", 4096))),
                        "00 00 00 00 00 00 30 04 01 61 00 00 00 00 00 00 20 00 01 62 00 00 00 00 00 00 10 00"),
                Arguments.of(
                        new MemSize(List.of(new MemSize.Block(
                                new BlockInfo("a", 2 << 20, 2 << 20), OptionalLong.of(0x100000000L)))),
                        "00 00 00 00 00 20 00 04 01 61 00 00 00 00 00 20 00 00"
                                + " 00 00 00 00 00 20 00 00 00 00 00 01 00 00 00 00"),
                Arguments.of(new StreamMessage.EndOfStream(), "00"),
                Arguments.of(new StreamMessage.VmDescription("{}".getBytes(UTF_8)), "06 00 00 00 02 7b 7d"),
                Arguments.of(new StreamMessage.OpenReturnPath(), "08 00 01 00 00"),
                Arguments.of(new StreamMessage.Ping(0x42), "08 00 02 00 04 00 00 00 42"),
                Arguments.of(
                        new StreamMessage.PostcopyAdvise(0x201000, 4096),
                        "08 00 03 00 10 00 00 00 00 00 20 10 00 00 00 00 00 00 00 10 00"),
                Arguments.of(new StreamMessage.PostcopyAdviseNoRam(), "08 00 03 00 00"),
                Arguments.of(new StreamMessage.PostcopyListen(), "08 00 04 00 00"),
                Arguments.of(new StreamMessage.PostcopyRun(), "08 00 05 00 00"),
                Arguments.of(
                        new RamDiscard("ab", List.of(new Range(0x1000, 0x2000))),
                        "08 00 06 00 15 00 02 61 62 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00 20 00"),
                Arguments.of(new StreamMessage.Packaged(new byte[] {9}), "08 00 07 00 04 00 00 00 01 09"),
                Arguments.of(new StreamMessage.EnableColo(), "08 00 08 00 00"),
                Arguments.of(new StreamMessage.PostcopyResume(), "08 00 09 00 00"),
                Arguments.of(new RecvBitmap("ab"), "08 00 0a 00 03 02 61 62"),
                Arguments.of(new StreamMessage.SwitchoverStart(), "08 00 0b 00 00"));
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void isWrittenAsDrawn(StreamMessage message, String hex) {
        assertThat(HexFormat.ofDelimiter(" ").formatHex(StreamEncoder.bytes(message)))
                .isEqualTo(hex);
    }

    @Test
    void whatDoesNotFitTheFormatIsOurMistake() {
        List<Range> many = java.util.Collections.nCopies(4096, new Range(0, 4096));

        assertThatThrownBy(() -> StreamEncoder.bytes(new RamDiscard("a", many)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at most 65535 bytes");
        assertThatThrownBy(() -> StreamEncoder.bytes(new RecvBitmap("n".repeat(256))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 to 255 bytes");
        assertThatThrownBy(() -> StreamEncoder.bytes(new RecvBitmap(""))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new StreamLimits(-1, 1, 1, 1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new StreamLimits(1, 1, 1, 1, 1L << 49)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void byteArraysAreComparedByContent() {
        assertThat(new StreamMessage.Packaged(new byte[] {1}))
                .isEqualTo(new StreamMessage.Packaged(new byte[] {1}))
                .hasSameHashCodeAs(new StreamMessage.Packaged(new byte[] {1}))
                .isNotEqualTo(new StreamMessage.Packaged(new byte[] {2}));
        assertThat(new StreamMessage.DeviceState(new byte[] {1}))
                .isEqualTo(new StreamMessage.DeviceState(new byte[] {1}))
                .isNotEqualTo(new StreamMessage.VmDescription(new byte[] {1}));
    }
}
