// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Differences of pages: what QEMU makes of them is in {@link EncodedCaptureTest}. */
class XbzrleTest {
    private static final int PAGE_OFFSET = 11;

    /** The record of a page of "pc.ram", its data at byte 100 of the channel. */
    static EncodedPage record(EncodedPage.Encoding encoding, byte[] data) {
        EncodedPage record = new EncodedPage(Wire.BLOCKS, WireException.MAIN);
        record.set(encoding, 0, 7, true);
        record.data(ByteBuffer.allocate(3 + data.length).put(3, data), 3, data.length, 100);
        return record;
    }

    private static byte[] hex(String text) {
        return HexFormat.ofDelimiter(" ").parseHex(text);
    }

    private static byte @Nullable [] encode(byte[] before, byte[] after, int most) {
        ByteBuffer out = ByteBuffer.allocate(3 * Pages.SIZE).position(5);
        int n = Xbzrle.encode(ByteBuffer.wrap(before), 0, ByteBuffer.wrap(after), 0, out, most);
        assertThat(out.position()).isEqualTo(5 + Math.max(0, n));
        return n == Xbzrle.DOES_NOT_FIT ? null : Arrays.copyOfRange(out.array(), 5, 5 + n);
    }

    private static byte[] apply(byte[] delta, byte[] before) throws WireException {
        ByteBuffer page = ByteBuffer.allocate(PAGE_OFFSET + Pages.SIZE + 9).put(PAGE_OFFSET, before);
        Xbzrle.apply(record(EncodedPage.Encoding.XBZRLE, delta), page, PAGE_OFFSET);
        for (int i = 0; i < PAGE_OFFSET; i++) {
            assertThat(page.get(i)).as("nothing before the page is touched").isZero();
        }
        for (int i = PAGE_OFFSET + Pages.SIZE; i < page.capacity(); i++) {
            assertThat(page.get(i)).as("nothing behind the page is touched").isZero();
        }
        return Arrays.copyOfRange(page.array(), PAGE_OFFSET, PAGE_OFFSET + Pages.SIZE);
    }

    @Test
    void aDifferenceIsRunsOfWhatStaysAndWhatIsNew() {
        byte[] before = new byte[Pages.SIZE];
        byte[] after = before.clone();
        after[0] = 1;
        assertThat(encode(before, after, 4096)).isEqualTo(hex("00 01 01"));
        after[300] = 2;
        after[301] = 3;
        assertThat(encode(before, after, 4096)).isEqualTo(hex("00 01 01 ab 02 02 02 03"));
        after[4095] = 4;
        assertThat(encode(before, after, 4096)).isEqualTo(hex("00 01 01 ab 02 02 02 03 d1 1d 01 04"));
        assertThat(encode(after, after, 4096)).isEmpty();
    }

    @Test
    void whatHasNoRoomIsNotWritten() {
        byte[] before = new byte[Pages.SIZE];
        byte[] after = new byte[Pages.SIZE];
        Arrays.fill(after, 10, 20, (byte) 9);

        assertThat(encode(before, after, 12)).hasSize(12);
        assertThat(encode(before, after, 11)).isNull();
        assertThat(encode(before, after, 0)).isNull();
        Arrays.fill(after, (byte) 9);
        assertThat(encode(before, after, 4096))
                .as("a page that is new as a whole")
                .isNull();
    }

    @Test
    void whatIsEncodedIsWhatBecomesOfThePage() throws Exception {
        Random random = Seed.random("whatIsEncodedIsWhatBecomesOfThePage");
        int fitted = 0;
        for (int i = 0; i < 5_000; i++) {
            byte[] before = new byte[Pages.SIZE];
            random.nextBytes(before);
            byte[] after = before.clone();
            for (int n = random.nextInt(40); n > 0; n--) {
                int from = random.nextInt(Pages.SIZE);
                int length = Math.min(Pages.SIZE - from, 1 + random.nextInt(random.nextInt(8) == 0 ? 2000 : 20));
                byte[] news = new byte[length];
                random.nextBytes(news);
                System.arraycopy(news, 0, after, from, length);
            }
            byte[] delta = encode(before, after, 4096);
            if (delta != null && delta.length > 0) {
                assertThat(apply(delta, before)).isEqualTo(after);
                fitted++;
            } else {
                assertThat(delta == null || Arrays.equals(before, after)).isTrue();
            }
        }
        assertThat(fitted).isGreaterThan(3_000);
    }

    @ParameterizedTest
    @CsvSource({
        "00, 1, ends with a zrun",
        "05, 1, ends with a zrun",
        "80 01, 2, ends with a zrun",
        "00 01 01 05, 4, ends with a zrun",
        "80, 0, ends within the length of a zrun",
        "00 80, 1, ends within the length of a nzrun",
        "80 80 01 01 01, 0, length of a zrun has more than 2 bytes",
        "00 ff ff, 1, length of a nzrun has more than 2 bytes",
        "00 00, 1, an nzrun of 0 bytes",
        "00 80 00 01, 1, an nzrun of 0 bytes",
        "00 01 01 00 01 01, 3, a zrun of 0 bytes between",
        "00 02 01, 1, 'an nzrun of 2 bytes, of which 1 are there'",
        "ff 1f 02 01 01, 2, past the end of its page",
        "80 20 01 01, 2, past the end of its page",
        "ff 7f ff 7f, 2, past the end of its page",
        "00 ff 1f 01, 1, 'an nzrun of 4095 bytes, of which 1 are there'",
    })
    void isToldWithItsPlace(String delta, int at, String reason) {
        WireException refusal =
                catchThrowableOfType(WireException.class, () -> apply(hex(delta), new byte[Pages.SIZE]));

        assertThat(refusal.reason()).contains(reason).startsWith("xbzrle: ").endsWith("(page 7 of 'pc.ram')");
        assertThat(refusal.offset()).isEqualTo(100 + at);
    }

    @Test
    void theWholePageMayChangeToItsLastByte() throws Exception {
        byte[] news = new byte[Pages.SIZE];
        Arrays.fill(news, (byte) 5);

        assertThat(apply(hex("ff 1f 01 07"), news)[4095]).isEqualTo((byte) 7);
        assertThat(apply(hex("ff 1f 01 07"), news)[4094]).isEqualTo((byte) 5);
        byte[] all = new byte[4 + 4092];
        all[0] = 4;
        all[1] = (byte) 0xfc;
        all[2] = 0x1f;
        byte[] delta = Arrays.copyOf(all, 3 + 4092);
        assertThat(apply(delta, news)).startsWith(5, 5, 5, 5, 0, 0).endsWith(0, 0);
    }

    @Test
    void randomBytesAreRefusedOrAreSomeDifference() {
        Random random = Seed.random("randomBytesAreRefusedOrAreSomeDifference");
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] delta = new byte[1 + random.nextInt(random.nextBoolean() ? 12 : Pages.SIZE)];
            random.nextBytes(delta);
            try {
                apply(delta, new byte[Pages.SIZE]);
            } catch (WireException e) {
                assertThat(e.offset()).isBetween(100L, 100L + delta.length);
                refused++;
            }
        }
        assertThat(refused).isBetween(10_000, 19_999);
    }

    @Test
    void aZlibStreamIsNoDifference() {
        assertThatThrownBy(() ->
                        Xbzrle.apply(record(EncodedPage.Encoding.ZLIB, new byte[1]), ByteBuffer.allocate(4096), 0))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
