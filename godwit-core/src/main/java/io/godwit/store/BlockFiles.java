// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The open RAM and digest files of a VM's blocks. Any thread. */
final class BlockFiles implements AutoCloseable {
    private final Path folder;
    private final BlockTable table;
    private final List<DiskFile> rams = new ArrayList<>();
    private final List<DiskFile> digests = new ArrayList<>();

    private BlockFiles(Path folder, BlockTable table) {
        this.folder = folder;
        this.table = table;
    }

    static BlockFiles open(Disk disk, Path folder, BlockTable table, boolean writing) throws DiskException {
        BlockFiles files = new BlockFiles(folder, table);
        boolean whole = false;
        try {
            for (int block = 0; block < table.size(); block++) {
                files.rams.add(open(disk, folder.resolve(Manifest.ramFile(block)), writing));
                files.digests.add(open(disk, folder.resolve(Manifest.digestFile(block)), writing));
            }
            whole = true;
            return files;
        } finally {
            if (!whole) {
                files.close();
            }
        }
    }

    private static DiskFile open(Disk disk, Path file, boolean writing) throws DiskException {
        return writing ? disk.openForWriting(file) : disk.openForReading(file);
    }

    BlockTable table() {
        return table;
    }

    DiskFile ram(int block) {
        return rams.get(block);
    }

    DiskFile digests(int block) {
        return digests.get(block);
    }

    Path ramPath(int block) {
        return folder.resolve(Manifest.ramFile(block));
    }

    /** All of one block is a hole again. */
    void clear(int block) throws DiskException {
        rams.get(block).setSize(0);
        rams.get(block).setSize(table.get(block).usedLength());
        digests.get(block).setSize(0);
        digests.get(block).setSize(table.get(block).pages() * PageDigest.BYTES);
    }

    /** Lengths that a power loss has taken are set again. */
    void lengthen(int block) throws DiskException {
        long ram = table.get(block).usedLength();
        if (rams.get(block).size() < ram) {
            rams.get(block).setSize(ram);
        }
        long digest = table.get(block).pages() * PageDigest.BYTES;
        if (digests.get(block).size() < digest) {
            digests.get(block).setSize(digest);
        }
    }

    void sync(int block) throws DiskException {
        rams.get(block).sync();
        digests.get(block).sync();
    }

    /** Closes all of them, the first failure last. */
    @Override
    public void close() throws DiskException {
        DiskException failure = null;
        List<DiskFile> all = new ArrayList<>(rams);
        all.addAll(digests);
        for (DiskFile file : all) {
            try {
                file.close();
            } catch (DiskException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
