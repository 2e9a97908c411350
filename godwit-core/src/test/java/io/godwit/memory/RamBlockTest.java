// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RamBlockTest {
    private static final long SIZE = 5L * Pages.SIZE;

    private final GuestMemory memory = Memories.of(5, 1);
    private final RamBlock ram = memory.block(0);

    @AfterEach
    void free() {
        memory.close();
    }

    @Test
    void whatIsPutIsGotAndWordsAreLittleEndian() {
        ram.putLong(8, 0x1122334455667788L);
        assertThat(ram.getLong(8)).isEqualTo(0x1122334455667788L);
        assertThat(ram.getInt(8)).isEqualTo(0x55667788);
        assertThat(ram.getByte(8)).isEqualTo((byte) 0x88);
        ram.putByte(15, (byte) 0xAA);
        ram.putInt(8, 7);
        assertThat(ram.getLong(8)).isEqualTo(0xAA22334400000007L);
    }

    @Test
    void whatLiesOutsideIsRefused() {
        assertThatThrownBy(() -> ram.getLong(SIZE)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> ram.putLong(-8, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> ram.putByte(SIZE, (byte) 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> ram.readPage(5, new long[512])).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> ram.read(SIZE - 10, new byte[11], 0, 11))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> ram.write(SIZE - 10, new byte[11], 0, 11))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> ram.write(0, new byte[11], 5, 7)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void theSameHoldsWhilePagesAreMissing() {
        memory.asSink().beginPostcopy();
        assertThatThrownBy(() -> ram.getLong(SIZE)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> ram.putLong(-8, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(memory.requests().outstanding()).isZero();
    }

    @Test
    void aWordThatIsNotAlignedIsRefused() {
        assertThatThrownBy(() -> ram.getLong(4092)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ram.putInt(2, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void bytesGoInAndOutAcrossPagesThroughArraysAndBuffers() {
        long seed = Seeds.next();
        Random random = new Random(seed);
        byte[] model = new byte[(int) SIZE];
        for (int i = 0; i < 2_000; i++) {
            int offset = random.nextInt((int) SIZE);
            byte[] bytes = new byte[random.nextInt(Math.min(10_000, (int) SIZE - offset) + 1)];
            random.nextBytes(bytes);
            System.arraycopy(bytes, 0, model, offset, bytes.length);
            if (random.nextBoolean()) {
                ram.write(offset, bytes, 0, bytes.length);
            } else {
                ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length + 3).position(3);
                ram.write(offset, direct.put(bytes).flip().position(3));
            }
        }
        byte[] whole = new byte[(int) SIZE + 2];
        ram.read(0, whole, 1, (int) SIZE);
        assertThat(java.util.Arrays.copyOfRange(whole, 1, (int) SIZE + 1))
                .as("seed %d", seed)
                .isEqualTo(model);
        ByteBuffer direct = ByteBuffer.allocateDirect(9000);
        ram.read(4000, direct);
        assertThat(direct.hasRemaining()).isFalse();
        byte[] part = new byte[9000];
        direct.flip().get(part);
        assertThat(part).isEqualTo(java.util.Arrays.copyOfRange(model, 4000, 13_000));
    }

    @Test
    void wholePagesGoInAndOutAsWords() {
        long[] words = new long[512];
        words[0] = 0x0102030405060708L;
        words[511] = -1;
        ram.writePage(4, words);
        long[] back = new long[512];
        ram.readPage(4, back);
        assertThat(back).isEqualTo(words);
        assertThat(ram.getByte(4 * Pages.SIZE)).isEqualTo((byte) 8);
        assertThatThrownBy(() -> ram.writePage(0, new long[511])).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void blocksAreFoundByNameAndApart() {
        memory.block("block1").putLong(0, 5);
        assertThat(memory.block(1).getLong(0)).isEqualTo(5);
        assertThat(ram.getLong(0)).isZero();
        assertThatThrownBy(() -> memory.block("nvram"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("this guest has no RAM block 'nvram'");
    }

    @Test
    void aBlockLargerThanOneWindowIsReadAndWrittenAtItsEnd() throws Exception {
        long size = (2L << 30) + Pages.SIZE;
        try (GuestMemory large = GuestMemory.allocate(List.of(BlockInfo.of("large", size)), Backing.MEMFD)) {
            for (long offset : new long[] {(1L << 30) - 8, 1L << 30, (2L << 30) - 8, 2L << 30}) {
                large.block(0).putLong(offset, offset);
            }
            ByteBuffer out = ByteBuffer.allocateDirect(Pages.SIZE).order(java.nio.ByteOrder.LITTLE_ENDIAN);
            large.asSource().read(0, 2L << 18, out);
            assertThat(out.getLong(0)).isEqualTo(2L << 30);
            byte[] bytes = new byte[16];
            large.block(0).read((1L << 30) - 8, bytes, 0, 16);
            assertThat(ByteBuffer.wrap(bytes)
                            .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                            .getLong(8))
                    .isEqualTo(1L << 30);
        }
    }

    @Test
    void afterCloseAnAccessIsRefused() {
        memory.close();
        assertThatThrownBy(() -> ram.getLong(0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> ram.putLong(0, 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> memory.asSource().read(0, 0, ByteBuffer.allocate(4096)))
                .isInstanceOf(IllegalStateException.class);
    }
}
