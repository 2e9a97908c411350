// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.godwit.memory.XxHash64;
import io.godwit.page.Pages;
import io.godwit.sys.XxHashLibrary;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PageDigestTest {
    private static final int PAGES = 5;

    private final ByteBuffer bytes = ByteBuffer.allocateDirect(PAGES * Pages.SIZE);

    @BeforeEach
    void noTwoPagesAlike() {
        var random = new SplittableRandom(7);
        for (int at = 0; at < bytes.capacity(); at += Long.BYTES) {
            bytes.putLong(at, random.nextLong());
        }
    }

    @Test
    void itIsTheHashOfThePageWithItsPlaceAsTheSeed() {
        // What whoever fills the buffer does to it is of no matter.
        bytes.order(ByteOrder.LITTLE_ENDIAN).position(100).limit(200);
        long seed = 3L << 40 | 77;
        for (int i = 0; i < PAGES; i++) {
            long expected = XxHash64.hash(
                    MemorySegment.ofBuffer(bytes.duplicate().clear()), (long) i * Pages.SIZE, Pages.SIZE, seed);
            assertThat(new PageDigest(bytes).of(i * Pages.SIZE, 3, 77)).isEqualTo(expected);
            assertThat(new PageDigest(bytes, null).of(i * Pages.SIZE, 3, 77))
                    .as("without libxxhash")
                    .isEqualTo(expected);
        }
    }

    @Test
    void theLibraryIsUsedWhereItIs() {
        assumeThat(Files.exists(Path.of("/usr/lib/x86_64-linux-gnu/libxxhash.so.0")))
                .as("libxxhash on this machine")
                .isTrue();
        assertThat(XxHashLibrary.over(bytes)).isNotNull();
    }

    /** A JVM in which nobody has allowed native calls. */
    static final class Forbidden {
        private Forbidden() {}

        /** Says the digest of a page of zeroes, and whether a library computed it. */
        @SuppressWarnings("SystemOut") // what the test waits for
        public static void main(String[] args) {
            ByteBuffer page = ByteBuffer.allocateDirect(Pages.SIZE);
            System.out.println(new PageDigest(page).of(0, 3, 77) + " " + (XxHashLibrary.over(page) != null));
        }
    }

    /** No word of the JVM's either, where it would only warn. */
    @ParameterizedTest
    @ValueSource(strings = {"deny", "warn"})
    void whereNativeCallsAreForbiddenTheDigestIsTheSame(String illegal) throws Exception {
        Path classes = Path.of(System.getProperty("godwit.classes"));
        Path tests = classes.resolveSibling("test-classes");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--illegal-native-access=" + illegal,
                        "-cp",
                        classes + ":" + (Files.exists(tests) ? tests : classes.resolveSibling("t")),
                        Forbidden.class.getName())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        long here = new PageDigest(ByteBuffer.allocateDirect(Pages.SIZE)).of(0, 3, 77);
        assertThat(said).isEqualToIgnoringNewLines(here + " false");
    }

    @Test
    void theLibraryReadsNothingOutsideTheBuffer() {
        assumeThat(XxHashLibrary.over(bytes)).as("libxxhash on this machine").isNotNull();
        XxHashLibrary library = Objects.requireNonNull(XxHashLibrary.over(bytes));
        assertThatThrownBy(() -> library.hash(bytes.capacity() - 1, 2, 0))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> library.hash(-1, 2, 0)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void aBufferOnTheHeapHasNoAddress() {
        assertThatThrownBy(() -> XxHashLibrary.over(ByteBuffer.allocate(8)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
