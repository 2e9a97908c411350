// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static io.godwit.wire.XbzrleTest.record;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.godwit.page.Pages;
import io.godwit.wire.EncodedPage.Encoding;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Pages that came as zlib streams. */
class PageInflaterTest {
    private static final int AT = 9;

    @AutoClose
    private final PageInflater inflater = new PageInflater();

    private static byte[] deflate(byte[] bytes, int level, byte @Nullable [] dictionary) {
        Deflater deflater = new Deflater(level);
        if (dictionary != null) {
            deflater.setDictionary(dictionary);
        }
        deflater.setInput(bytes);
        deflater.finish();
        byte[] out = new byte[bytes.length + 200];
        int n = deflater.deflate(out);
        assertThat(deflater.finished()).isTrue();
        deflater.end();
        return Arrays.copyOf(out, n);
    }

    private byte[] inflate(byte[] zlib) throws WireException {
        ByteBuffer out = ByteBuffer.allocate(AT + Pages.SIZE + 20).position(AT);
        try {
            inflater.inflate(record(Encoding.ZLIB, zlib), out);
        } finally {
            assertThat(out.limit()).isEqualTo(out.capacity());
            for (int i = AT + Pages.SIZE; i < out.capacity(); i++) {
                assertThat(out.get(i)).as("nothing behind the page is touched").isZero();
            }
        }
        assertThat(out.position()).isEqualTo(AT + Pages.SIZE);
        return Arrays.copyOfRange(out.array(), AT, AT + Pages.SIZE);
    }

    private WireException refusal(byte[] zlib) {
        return catchThrowableOfType(WireException.class, () -> inflate(zlib));
    }

    @Test
    void everyPageComesBackHoweverItWasCompressed() throws Exception {
        Random random = Seed.random("everyPageComesBackHoweverItWasCompressed");
        for (int i = 0; i < 500; i++) {
            byte[] page = new byte[Pages.SIZE];
            for (int at = random.nextInt(Pages.SIZE);
                    at < Pages.SIZE;
                    at += 1 + random.nextInt(1 + random.nextInt(90))) {
                page[at] = (byte) random.nextInt();
            }
            byte[] zlib = deflate(page, random.nextInt(10), null);

            assertThat(zlib.length).isBetween(1, Encoding.ZLIB.most());
            assertThat(inflate(zlib)).isEqualTo(page);
        }
    }

    @Test
    void anythingButOnePageIsRefused() {
        assertThat(refusal(deflate(new byte[Pages.SIZE - 1], 6, null)))
                .hasMessageContaining("holds 4095 bytes, not a page");
        assertThat(refusal(deflate(new byte[0], 6, null))).hasMessageContaining("holds 0 bytes, not a page");
        assertThat(refusal(deflate(new byte[Pages.SIZE + 1], 6, null))).hasMessageContaining("more than a page");
        byte[] page = deflate(new byte[Pages.SIZE], 6, null);
        assertThat(refusal(Arrays.copyOf(page, page.length + 3)))
                .hasMessageContaining("3 bytes follow the zlib stream")
                .hasMessageContaining("byte " + (100 + page.length));
        assertThat(refusal(deflate(new byte[Pages.SIZE], 6, new byte[] {1, 2, 3})))
                .hasMessageContaining("needs a dictionary");
        byte[] wrong = page.clone();
        wrong[wrong.length - 1]++;
        assertThat(refusal(wrong)).hasMessageContaining("no zlib stream");
        assertThat(refusal(new byte[] {1, 2, 3, 4})).hasMessageContaining("no zlib stream");
    }

    @Test
    void aCutAnywhereIsRefusedAndTheNextPageIsNotHarmed() throws Exception {
        byte[] page = new byte[Pages.SIZE];
        Seed.random("aCutAnywhereIsRefusedAndTheNextPageIsNotHarmed").nextBytes(page);
        Arrays.fill(page, 100, 4000, (byte) 3);
        byte[] zlib = deflate(page, 1, null);
        for (int n = 1; n < zlib.length; n++) {
            assertThat(refusal(Arrays.copyOf(zlib, n))).hasMessageContaining("is cut off after");
            assertThat(inflate(zlib)).isEqualTo(page);
        }
    }

    @Test
    void aBombGivesNoMoreThanAPage() {
        byte[] bomb = deflate(new byte[3 << 20], 9, null);

        assertThat(bomb.length).isLessThan(Encoding.ZLIB.most());
        assertThat(refusal(bomb)).hasMessageContaining("more than a page");
    }

    @Test
    void wrongBytesAreRefused() {
        Random random = Seed.random("wrongBytesAreRefused");
        byte[] page = new byte[Pages.SIZE];
        for (int i = 0; i < 3_000; i++) {
            random.nextBytes(page);
            Arrays.fill(page, 0, random.nextInt(4096), (byte) 1);
            byte[] zlib = deflate(page, 1 + random.nextInt(9), null);
            for (int n = 1 + random.nextInt(3); n > 0; n--) {
                zlib[random.nextInt(zlib.length)] ^= (byte) (1 + random.nextInt(255));
            }
            try {
                assertThat(inflate(zlib)).as("the checksum holds").isEqualTo(page);
            } catch (WireException e) {
                assertThat(e.offset()).isBetween(100L, 100L + zlib.length);
            }
        }
    }

    @Test
    void aDifferenceIsNoZlibStream() {
        assertThatThrownBy(() -> inflater.inflate(record(Encoding.XBZRLE, new byte[1]), ByteBuffer.allocate(4096)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
