// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MappedMemoryTest {
    private static final long MIB = 1 << 20;

    private static MappedMemory map(String kind, long bytes) throws SystemCallException {
        return kind.equals("memfd") ? MappedMemory.memfd("pc.ram", bytes) : MappedMemory.anonymous("pc.ram", bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"anonymous", "memfd"})
    void newMemoryIsZeroAndKeepsWhatIsWritten(String kind) throws Exception {
        try (MappedMemory memory = map(kind, MIB)) {
            MemorySegment bytes = memory.segment();
            assertThat(bytes.byteSize()).isEqualTo(MIB).isEqualTo(memory.size());
            assertThat(bytes.get(JAVA_LONG, 0)).isZero();
            assertThat(bytes.get(JAVA_LONG, MIB - 8)).isZero();
            bytes.set(JAVA_LONG, MIB - 8, 42);
            assertThat(bytes.get(JAVA_LONG, MIB - 8)).isEqualTo(42);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"anonymous", "memfd"})
    void whatIsDiscardedReadsAsZeroAndItsNeighboursStay(String kind) throws Exception {
        try (MappedMemory memory = map(kind, 8 * 4096)) {
            MemorySegment bytes = memory.segment();
            for (int page = 0; page < 8; page++) {
                bytes.set(JAVA_LONG, page * 4096L, 100 + page);
            }
            memory.discard(2 * 4096, 3 * 4096);
            long[] left = new long[8];
            for (int page = 0; page < 8; page++) {
                left[page] = bytes.get(JAVA_LONG, page * 4096L);
            }
            assertThat(left).containsExactly(100, 101, 0, 0, 0, 105, 106, 107);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"anonymous", "memfd"})
    void onlyWholePagesWithinCanBeDiscarded(String kind) throws Exception {
        try (MappedMemory memory = map(kind, 8 * 4096)) {
            assertThatThrownBy(() -> memory.discard(0, 100)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> memory.discard(8, 4096)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> memory.discard(-4096, 4096)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> memory.discard(4 * 4096, 5 * 4096))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining("'pc.ram'");
            assertThatThrownBy(() -> memory.discard(4096, Long.MAX_VALUE & -4096))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"anonymous", "memfd"})
    void populatingChangesNoByteAndStaysInside(String kind) throws Exception {
        try (MappedMemory memory = map(kind, 8 * 4096)) {
            memory.segment().set(JAVA_LONG, 4096, 42);
            assertThat(memory.populate(0, 8 * 4096)).isTrue();
            assertThat(memory.segment().get(JAVA_LONG, 4096)).isEqualTo(42);
            assertThat(memory.segment().get(JAVA_LONG, 2 * 4096)).isZero();
            assertThatThrownBy(() -> memory.populate(4 * 4096, 5 * 4096))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining("'pc.ram'");
        }
    }

    @Test
    void aRefusalOfTheKernelIsASentenceWithItsWords() {
        assertThatThrownBy(() -> MappedMemory.anonymous("pc.ram", 1L << 60))
                .isInstanceOfSatisfying(
                        SystemCallException.class, e -> assertThat(e.errno()).isEqualTo(12))
                .hasMessage("cannot get 1 EiB for block 'pc.ram': Cannot allocate memory (mmap, errno 12)");
        assertThatThrownBy(() -> MappedMemory.memfd("pc.ram", 1L << 60))
                .isInstanceOf(SystemCallException.class)
                .hasMessageStartingWith("cannot get 1 EiB for block 'pc.ram': ");
        assertThatThrownBy(() -> MappedMemory.memfd("a name too long for the kernel ".repeat(10), 4096))
                .isInstanceOf(SystemCallException.class)
                .hasMessageEndingWith("Invalid argument (memfd_create, errno 22)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"anonymous", "memfd"})
    void afterCloseAnAccessIsRefusedInsteadOfCrashing(String kind) throws Exception {
        MappedMemory memory = map(kind, MIB);
        memory.close();
        memory.close();
        assertThatThrownBy(() -> memory.segment().get(JAVA_LONG, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> memory.discard(0, 4096)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> memory.populate(0, 4096)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void sizesAreShownInWordsForPeople() {
        assertThat(ByteSizes.show(17)).isEqualTo("17 bytes");
        assertThat(ByteSizes.show(4096)).isEqualTo("4 KiB");
        assertThat(ByteSizes.show(3 << 19)).isEqualTo("1.5 MiB");
        assertThat(ByteSizes.show(64L << 30)).isEqualTo("64 GiB");
        assertThat(ByteSizes.show(Long.MAX_VALUE)).isEqualTo("8 EiB");
    }
}
