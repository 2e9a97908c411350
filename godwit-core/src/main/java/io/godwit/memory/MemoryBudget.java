// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import io.godwit.page.BlockInfo;
import io.godwit.sys.ByteSizes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * How much memory this host can give now: the smaller of what the kernel says is available, with free swap, and what the limits of the process's control
 * groups leave. An estimate, since others take memory at the same time; it is there to refuse a size that cannot work.
 *
 * @param available bytes
 * @param why what sets the bound, in words
 */
record MemoryBudget(long available, String why) {
    static MemoryBudget ofThisHost() throws IOException {
        return read(Path.of("/"));
    }

    /** @param root where {@code proc} and {@code sys} are */
    static MemoryBudget read(Path root) throws IOException {
        MemoryBudget budget = host(root);
        Path tree = root.resolve("sys/fs/cgroup");
        @Nullable Path group = tree.resolve(groupName(root));
        while (group != null && group.startsWith(tree)) {
            OptionalLong room = room(group);
            if (room.isPresent() && room.getAsLong() < budget.available) {
                budget = new MemoryBudget(room.getAsLong(), "the memory limit of this process's control group leaves");
            }
            group = group.getParent();
        }
        return budget;
    }

    /** @throws IOException if the blocks together are larger, with a sentence that names the largest */
    void require(List<BlockInfo> blocks) throws IOException {
        long sum = 0;
        BlockInfo largest = blocks.getFirst();
        for (BlockInfo block : blocks) {
            // Saturating: lengths come from an operator.
            sum = sum > Long.MAX_VALUE - block.usedLength() ? Long.MAX_VALUE : sum + block.usedLength();
            largest = block.usedLength() > largest.usedLength() ? block : largest;
        }
        if (sum > available) {
            throw new IOException("cannot get " + ByteSizes.show(largest.usedLength()) + " for block '"
                    + largest.name() + "': " + why + " " + ByteSizes.show(available) + " to give"
                    + "; make the guest smaller or free memory on this host");
        }
    }

    private static MemoryBudget host(Path root) throws IOException {
        long available = 0;
        long swap = 0;
        for (String line : Files.readAllLines(root.resolve("proc/meminfo"))) {
            // For example "MemAvailable:   24014532 kB".
            String[] words = line.split("\\s+", -1);
            switch (words[0]) {
                case "MemAvailable:" -> available = Long.parseLong(words[1]) << 10;
                case "SwapFree:" -> swap = Long.parseLong(words[1]) << 10;
                default -> {}
            }
        }
        return new MemoryBudget(available + swap, "this host has");
    }

    /** The process's group in the unified hierarchy, relative to its root: the line {@code 0::/name}. */
    private static Path groupName(Path root) throws IOException {
        Path file = root.resolve("proc/self/cgroup");
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith("0::/")) {
                    return Path.of(line.substring("0::/".length()));
                }
            }
        }
        return Path.of("");
    }

    /** What the group's limit leaves, counting page cache that can be dropped as free; empty without a limit. */
    private static OptionalLong room(Path group) throws IOException {
        Path limit = group.resolve("memory.max");
        if (!Files.exists(limit)) {
            return OptionalLong.empty();
        }
        String text = Files.readString(limit).strip();
        if (text.equals("max")) {
            return OptionalLong.empty();
        }
        long used =
                Long.parseLong(Files.readString(group.resolve("memory.current")).strip());
        long cache = 0;
        for (String line : Files.readAllLines(group.resolve("memory.stat"))) {
            if (line.startsWith("inactive_file ")) {
                cache = Long.parseLong(line.substring("inactive_file ".length()).strip());
            }
        }
        return OptionalLong.of(Math.max(0, Long.parseLong(text) - used + cache));
    }
}
