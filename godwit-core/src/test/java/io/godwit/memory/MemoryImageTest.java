// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.Pages;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryImageTest {
    private static final int FIRST = 1000;
    private static final int SECOND = 7;

    private final GuestMemory memory = Memories.of(FIRST, SECOND);

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void everyWordHoldsItsAddress() {
        file = folder.resolve("image");
        for (long address = 0; address < (FIRST + SECOND) * (long) Pages.SIZE; address += 8) {
            long second = address - FIRST * (long) Pages.SIZE;
            if (second < 0) {
                memory.block(0).putLong(address, address);
            } else {
                memory.block(1).putLong(second, address);
            }
        }
    }

    @AfterEach
    void free() {
        memory.close();
    }

    private ByteBuffer image() throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Test
    void theBlocksLieOneAfterTheOther() throws IOException {
        memory.writeTo(file, 0, (FIRST + SECOND) * (long) Pages.SIZE);
        ByteBuffer image = image();
        assertThat(image.capacity()).isEqualTo((FIRST + SECOND) * Pages.SIZE);
        for (int at = 0; at < image.capacity(); at += 8) {
            assertThat(image.getLong(at)).isEqualTo(at);
        }
    }

    @Test
    void aRangeMayBeginAndEndAnywhereAndReplacesTheFile() throws IOException {
        memory.writeTo(file, 0, 100_000);
        memory.writeTo(file, FIRST * (long) Pages.SIZE - 16, 24);
        ByteBuffer image = image();
        assertThat(image.capacity()).isEqualTo(24);
        assertThat(image.getLong(0)).isEqualTo(FIRST * (long) Pages.SIZE - 16);
        assertThat(image.getLong(16)).isEqualTo(FIRST * (long) Pages.SIZE);
        memory.writeTo(file, 3, 1);
        assertThat(image().capacity()).isEqualTo(1);
    }

    @Test
    void aRangeThatIsNotThereIsRefusedAndLeavesNoFile() {
        long total = (FIRST + SECOND) * (long) Pages.SIZE;
        for (long[] range : new long[][] {{0, total + 1}, {total, 1}, {-1, 1}, {0, 0}, {0, -1}, {1, Long.MAX_VALUE}}) {
            assertThatThrownBy(() -> memory.writeTo(file, range[0], range[1]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("guest memory begins at 0 and has " + total + " bytes");
        }
        assertThat(file).doesNotExist();
    }

    @Test
    void whatHasNotArrivedIsRefusedByName() throws IOException {
        for (int page = 0; page < FIRST; page++) {
            if (page != 500) {
                memory.asSink().store(0, page, Memories.page(page), 0);
            }
        }
        memory.asSink().beginPostcopy();
        memory.writeTo(file, 0, 500L * Pages.SIZE);
        memory.writeTo(file, 501L * Pages.SIZE, 499L * Pages.SIZE);
        Files.delete(file);
        assertThatThrownBy(() -> memory.writeTo(file, 0, 500L * Pages.SIZE + 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("cannot save guest memory: page 500 of 'block0' has not arrived yet; try again when the"
                        + " migration has completed");
        assertThatThrownBy(() -> memory.writeTo(file, 501L * Pages.SIZE, 499L * Pages.SIZE + 1))
                .hasMessageContaining("page 0 of 'block1'");
        assertThat(file).doesNotExist();
    }
}
