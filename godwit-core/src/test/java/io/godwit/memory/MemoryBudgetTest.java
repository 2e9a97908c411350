// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.BlockInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryBudgetTest {
    private static final long GIB = 1L << 30;

    @TempDir
    private Path root;

    @BeforeEach
    void aHostWithEightGibibytesAndOneOfSwap() throws IOException {
        write("proc/meminfo", "MemTotal:  16777216 kB\nMemAvailable:    8388608 kB\nSwapFree:        1048576 kB\n");
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    private MemoryBudget budget() throws IOException {
        return MemoryBudget.read(root);
    }

    @Test
    void withoutControlGroupsTheHostCounts() throws IOException {
        assertThat(budget().available()).isEqualTo(9 * GIB);
        write("proc/self/cgroup", "0::/\n");
        assertThat(budget().available()).isEqualTo(9 * GIB);
    }

    @Test
    void theTightestGroupOnTheWayUpCounts() throws IOException {
        write("proc/self/cgroup", "1:name=systemd:/x\n0::/outer/inner\n");
        write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
        write("sys/fs/cgroup/outer/memory.max", (3 * GIB) + "\n");
        write("sys/fs/cgroup/outer/memory.current", (2 * GIB) + "\n");
        write("sys/fs/cgroup/outer/memory.stat", "anon 5\ninactive_file " + GIB / 2 + "\nfile 7\n");
        assertThat(budget().available()).isEqualTo(3 * GIB / 2);
        assertThatThrownBy(() -> budget().require(List.of(BlockInfo.of("pc.ram", 2 * GIB))))
                .isInstanceOf(IOException.class)
                .hasMessage(
                        "cannot get 2 GiB for block 'pc.ram': the memory limit of this process's control group leaves"
                                + " 1.5 GiB to give; make the guest smaller or free memory on this host");
    }

    @Test
    void aGroupThatIsOverItsLimitLeavesNothing() throws IOException {
        write("proc/self/cgroup", "0::/\n");
        write("sys/fs/cgroup/memory.max", "1000\n");
        write("sys/fs/cgroup/memory.current", "2000\n");
        write("sys/fs/cgroup/memory.stat", "anon 5\n");
        assertThat(budget().available()).isZero();
    }

    @Test
    void theBlocksCountTogetherAndTheLargestIsNamed() throws IOException {
        BlockInfo small = BlockInfo.of("rom", 4 * GIB);
        BlockInfo large = BlockInfo.of("pc.ram", 5 * GIB);
        assertThatCode(() -> budget().require(List.of(small, large))).doesNotThrowAnyException();
        assertThatThrownBy(() -> budget().require(List.of(small, large, BlockInfo.of("vga", 4096))))
                .hasMessage(
                        "cannot get 5 GiB for block 'pc.ram': this host has 9 GiB to give; make the guest smaller or"
                                + " free memory on this host");
        BlockInfo absurd = BlockInfo.of("a", Long.MAX_VALUE & -4096);
        assertThatThrownBy(() -> budget().require(List.of(absurd, large))).isInstanceOf(IOException.class);
    }

    @Test
    void onThisHostAnImpossibleGuestIsRefusedAndAPossibleOneIsNot() throws IOException {
        for (Backing backing : Backing.values()) {
            assertThatThrownBy(() -> GuestMemory.allocate(List.of(BlockInfo.of("pc.ram", 1L << 46)), backing))
                    .isInstanceOf(IOException.class)
                    .hasMessageMatching("cannot get 64 TiB for block 'pc.ram': .*; make the guest smaller .*");
            GuestMemory.allocate(List.of(BlockInfo.of("pc.ram", 1L << 20)), backing)
                    .close();
        }
    }
}
