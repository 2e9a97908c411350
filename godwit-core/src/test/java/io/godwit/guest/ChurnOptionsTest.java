// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class ChurnOptionsTest {
    private final ChurnOptions options = ChurnOptions.of(1 << 20);

    private static void refused(ThrowingCallable made, String sentence) {
        assertThatThrownBy(made).isInstanceOf(IllegalArgumentException.class).hasMessage(sentence);
    }

    @Test
    void whatCannotBeIsRefusedInASentence() {
        refused(
                () -> ChurnOptions.of(5000),
                "the guest's size is a positive multiple of 4096 bytes up to 64 TiB, got 5000");
        refused(
                () -> ChurnOptions.of(Long.MAX_VALUE & -4096),
                "the guest's size is a positive multiple of 4096 bytes up to 64 TiB, got 9223372036854771712");
        refused(() -> options.withWriters(-1, 0), "a guest has 0 to 1024 writers, got -1");
        refused(() -> options.withWriters(1025, 0), "a guest has 0 to 1024 writers, got 1025");
        refused(
                () -> options.withWriters(4, 3),
                "the write rate is 0 for unlimited or at least 1 page per second and writer, got 3 for 4 writers");
        refused(() -> options.withReaders(2000, 0), "a guest has 0 to 1024 readers, got 2000");
        refused(
                () -> options.withReaders(2, -1),
                "the read rate is 0 for unlimited or at least 1 page per second and reader, got -1 for 2 readers");
        refused(
                () -> options.withShares(60, 41),
                "the shares of hot and cold pages are percentages of together up to 100, got 60 and 41");
        refused(
                () -> options.withShares(Integer.MAX_VALUE, Integer.MAX_VALUE),
                "the shares of hot and cold pages are percentages of together up to 100, got 2147483647 and 2147483647");
        refused(
                () -> options.withPayloadBytes(44),
                "the filled part of a page is a multiple of 8 from 48 to 4096 bytes, got 44");
    }
}
