// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What can be told of a VM without its lock, also while another process uses it.
 *
 * @param manifest as it is on disk
 * @param blocks in the manifest's order
 * @param deviceBytes size of the device state, -1 if there is none yet or it is damaged
 */
public record VmSummary(Path folder, Manifest manifest, List<Block> blocks, long deviceBytes) {
    /**
     * A block's share.
     *
     * @param durablePages pages that are received as of the last checkpoint
     * @param dataPages those of them that are not zero: what takes room on disk
     */
    public record Block(BlockInfo info, long durablePages, long dataPages) {}

    /**
     * A folder of the root.
     *
     * @param manifest null if it cannot be read; then {@code problem} says why
     */
    public record Entry(
            Path folder,
            @Nullable Manifest manifest,
            @Nullable String problem) {}

    public VmSummary {
        blocks = List.copyOf(blocks);
    }

    /** Bytes of RAM in all blocks. */
    public long ramBytes() {
        return blocks.stream().mapToLong(block -> block.info().usedLength()).sum();
    }

    /** Bytes of RAM that are durable. */
    public long durableBytes() {
        return blocks.stream().mapToLong(Block::durablePages).sum() << Pages.SHIFT;
    }

    /** Bytes of RAM that take room on disk, as of the last checkpoint. */
    public long dataBytes() {
        return blocks.stream().mapToLong(Block::dataPages).sum() << Pages.SHIFT;
    }

    /** The VMs below a root folder, sorted by folder; other folders and files are passed over. */
    public static List<Entry> list(Disk disk, Path root) {
        List<Entry> entries = new ArrayList<>();
        try {
            for (String name : disk.list(root)) {
                Path folder = root.resolve(name);
                if (disk.isFolder(folder) && disk.exists(folder.resolve(ManifestFile.NAME))) {
                    entries.add(entry(disk, folder));
                }
            }
        } catch (DiskException e) {
            throw Failures.again(e);
        }
        return entries;
    }

    private static Entry entry(Disk disk, Path folder) {
        try {
            Manifest manifest = ManifestFile.read(disk, folder);
            return new Entry(folder, manifest, manifest == null ? "it was removed just now" : null);
        } catch (StoreException | DiskException e) {
            return new Entry(folder, null, String.valueOf(e.getMessage()));
        }
    }

    /** @throws StoreException MISSING if there is no VM in the folder, CORRUPT if its manifest is damaged */
    public static VmSummary read(Disk disk, Path folder) {
        try {
            Manifest manifest = ManifestFile.read(disk, folder);
            if (manifest == null) {
                throw Failures.missing(folder);
            }
            BlockTable table = new BlockTable(manifest.arrival().blocks());
            Presence presence = new Presence(table);
            StoredVm.readPresence(disk, folder, manifest.attempt(), presence);
            List<Block> blocks = new ArrayList<>();
            for (int i = 0; i < table.size(); i++) {
                blocks.add(new Block(table.get(i), presence.durable(i).cardinality(), presence.dataPages(i)));
            }
            DeviceFile.Content devices = DeviceFile.read(disk, folder, manifest.attempt());
            return new VmSummary(folder, manifest, blocks, devices == null ? -1 : size(devices.devices()));
        } catch (DiskException e) {
            throw Failures.again(e);
        }
    }

    private static long size(StoredDevices devices) {
        return (long) devices.early().length + devices.late().length;
    }
}
