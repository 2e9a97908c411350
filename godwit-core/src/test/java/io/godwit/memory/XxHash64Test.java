// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class XxHash64Test {
    private static final long PRIME32 = 0x9E3779B1L;

    /** Bytes 3, 10, 17, … : each 7 more than the one before. */
    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 7 + 3);
        }
        return bytes;
    }

    @ParameterizedTest
    @CsvSource({
        "'', EF46DB3751D8E999",
        "a, D24EC4F1A98C6E5B",
        "abc, 44BC2CF5AD770999",
        "Nobody inspects the spammish repetition, FBCEA83C8A378BF1"
    })
    void hashesOfTextsAreThePublishedOnes(String text, String hash) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        assertThat(XxHash64.hash(MemorySegment.ofArray(bytes), 0, bytes.length, 0))
                .isEqualTo(Long.parseUnsignedLong(hash, 16));
    }

    /** Computed by the reference implementation's Python binding; the lengths take every branch. */
    @ParameterizedTest
    @CsvSource({
        "0, EF46DB3751D8E999, AC75FDA2929B17EF",
        "1, 1F25C8D0BC1F4BB6, 79CF94F5ACE37FE1",
        "3, 31D2363F52E564C9, 96D2A5E583DDD738",
        "4, 9BB64B7D66EE9FDA, 4A862FBB4B73776E",
        "7, 9A7B149959CE60D8, DDC5CF71D37A6368",
        "8, DAB99D95C6F90092, C6E75E2CBD8E07EE",
        "14, C7F1D4D0ACFA5A14, 51341A138B098941",
        "31, A2AA5F33CC4A6119, 381822F33376D6B6",
        "32, 23C3C17EF790FD97, 9ABD315470AC276A",
        "33, 50A7CFC7BA588784, 72CDD3262F467933",
        "40, B620306B253D76B6, 6968E03BE1951FDA",
        "63, 5E3E54B431C7493C, 634DA7D265979E61",
        "64, 0EB64B3EF6EEB01F, BCB3847D70525180",
        "100, A61F8D4C170FE531, 86F549EDE5AC87E2",
        "222, 8488AA61FC67F7EB, A0E106FBD1FDFC38",
        "256, 00CFC5207DD8E201, 7444DEE78E7E31B7"
    })
    void everyLengthAndSeedGivesTheReferenceHash(int length, String plain, String seeded) {
        MemorySegment data = MemorySegment.ofArray(bytes(length));
        assertThat(Long.toHexString(XxHash64.hash(data, 0, length, 0)))
                .isEqualTo(Long.toHexString(Long.parseUnsignedLong(plain, 16)));
        assertThat(Long.toHexString(XxHash64.hash(data, 0, length, PRIME32)))
                .isEqualTo(Long.toHexString(Long.parseUnsignedLong(seeded, 16)));
    }

    @Test
    void anOffsetAndWordsGiveTheSameAsBytesFromTheBeginning() {
        byte[] bytes = bytes(4096);
        byte[] shifted = new byte[4099];
        System.arraycopy(bytes, 0, shifted, 3, 4096);
        long[] words = new long[512];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(words);

        for (int n = 0; n <= 512; n += 37) {
            long hash = XxHash64.hash(MemorySegment.ofArray(bytes), 0, n * 8L, 5);
            assertThat(XxHash64.hash(MemorySegment.ofArray(shifted), 3, n * 8L, 5))
                    .isEqualTo(hash);
            assertThat(XxHash64.hash(words, 0, n, 5)).isEqualTo(hash);
        }
    }
}
