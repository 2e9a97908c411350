// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.wire.FirstBytes.Kind;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FirstBytesTest {
    private static final BlockTable BLOCKS =
            new BlockTable(List.of(BlockInfo.of("pc.ram", 16 << 20), BlockInfo.of("rom", 4096)));

    private static Kind judge(byte[] bytes, @Nullable BlockTable blocks) {
        ByteBuffer peeked =
                ByteBuffer.allocate(bytes.length + 3).position(3).put(bytes).position(3);
        Kind kind = FirstBytes.classify(peeked, blocks);
        assertThat(peeked.position()).as("nothing is consumed").isEqualTo(3);
        return kind;
    }

    private static byte[] hex(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    @ParameterizedTest
    @CsvSource({
        "MAIN_HEADER,       51 45 56 4d",
        "MAIN_HEADER,       51 45 56 4d 00 00 00 03",
        "RECOVERY_COMMAND,  08 00 09 00 00",
        "RECOVERY_COMMAND,  08 00 0a 00 07 06 70 63 2e 72 61 6d",
        "MULTIFD_MAGIC,     11 22 33 44",
        "MAYBE_PAGE_RECORD, 00 00 00 00 00 00 30 08 06 70 63 2e 72 61 6d",
        "MAYBE_PAGE_RECORD, 00 00 00 00 00 00 30 02 06 70 63 2e 72 61 6d 00",
        "PREEMPT_END,       00 00 00 00 00 00 00 10"
    })
    void knowsItsPeersAndNeedsAllOfTheirFirstBytes(Kind kind, String hex) {
        byte[] bytes = hex(hex);

        assertThat(judge(bytes, BLOCKS)).isEqualTo(kind);
        assertThat(judge(bytes, null)).isEqualTo(kind);
        for (int n = 0; n < Math.min(bytes.length, kind == Kind.MAIN_HEADER ? 4 : bytes.length - 1); n++) {
            assertThat(judge(java.util.Arrays.copyOf(bytes, n), BLOCKS)).isIn(Kind.NEED_MORE, kind);
        }
        assertThat(judge(java.util.Arrays.copyOf(bytes, 1), BLOCKS)).isEqualTo(Kind.NEED_MORE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "51 45 56 4e", // QEVN
                "51 00",
                "11 22 33 45",
                "08 01",
                "08 00 02", // PING
                "08 00 09 00 01", // RESUME with a payload
                "08 00 0a 00 01", // RECV_BITMAP without a name
                "08 00 0a 01 01", // longer than any name
                "08 00 0a 00 07 05", // lengths that contradict each other
                "08 00 0a 00 07 06 70 63 2e 72 61 6e", // pc.ran
                "01",
                "7e",
                "00 01", // beyond 2^48 bytes
                "00 00 00 00 00 00 30 28", // CONTINUE
                "00 00 00 00 00 00 30 0a", // ZERO and PAGE
                "00 00 00 00 00 00 30 10", // EOS with an offset
                "00 00 00 00 00 00 30 08 00", // no name
                "00 00 00 00 00 00 30 08 03 72 61 6d",
                "00 00 00 00 01 00 00 08 06 70 63 2e 72 61 6d", // past the end of pc.ram
            })
    void dropsEverybodyElse(String hex) {
        assertThat(judge(hex(hex), BLOCKS)).isEqualTo(Kind.FOREIGN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/1.1\r\n", "SSH-2.0-OpenSSH_9.6\r\n", "\u0016\u0003\u0001", "{\"execute\"", "Q"})
    void dropsWhatHealthChecksSend(String text) {
        assertThat(judge(text.getBytes(ISO_8859_1), null)).isEqualTo(text.equals("Q") ? Kind.NEED_MORE : Kind.FOREIGN);
    }

    @Test
    void decidesAtLastWithinAFixedNumberOfBytes() {
        Random random = Seed.random("decidesAtLastWithinAFixedNumberOfBytes");
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[FirstBytes.ENOUGH];
            random.nextBytes(bytes);
            byte[] start = hex(
                    List.of("08 00 0a", "00 00 00 00 00 00 30 08 ff", "51", "").get(random.nextInt(4)));
            System.arraycopy(start, 0, bytes, 0, start.length);

            assertThat(judge(bytes, random.nextBoolean() ? BLOCKS : null)).isNotEqualTo(Kind.NEED_MORE);
        }
    }
}
