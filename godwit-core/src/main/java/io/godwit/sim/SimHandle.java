// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.store.DiskException;
import io.godwit.store.DiskFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/** An open file of a {@link SimDisk}. It ends with the process that opened it. */
final class SimHandle implements DiskFile {
    private final SimDisk disk;
    private final SimFile file;
    private final Path path;
    private final int born;

    SimHandle(SimDisk disk, SimFile file, Path path, int born) {
        this.disk = disk;
        this.file = file;
        this.path = path;
        this.born = born;
    }

    @Override
    public int read(ByteBuffer into, long position) throws DiskException {
        begin();
        disk.read(path);
        return file.read(into, position);
    }

    @Override
    public void write(ByteBuffer from, long position) throws DiskException {
        begin();
        byte[] bytes = new byte[from.remaining()];
        from.get(from.position(), bytes);
        if (disk.dying()) {
            file.write(position, Arrays.copyOf(bytes, disk.random().nextInt(bytes.length + 1)));
        }
        disk.write(path);
        if (disk.isFull() && !file.hasRoom(position, bytes.length)) {
            file.write(position, Arrays.copyOf(bytes, disk.random().nextInt(bytes.length + 1)));
            throw new DiskException(
                    DiskException.Kind.FULL, "cannot write " + path + " at " + position + ": no space left");
        }
        file.write(position, bytes);
        from.position(from.limit());
    }

    @Override
    public void sync() throws DiskException {
        begin();
        boolean some = disk.dying();
        if (some) {
            disk.syncLost();
            file.failSync(disk.random());
        }
        disk.read(path);
        if (disk.takeFailingSync()) {
            file.failSync(disk.random());
            throw new DiskException(DiskException.Kind.SYNC, "cannot make " + path + " durable: input/output error");
        }
        file.sync();
    }

    @Override
    public long size() throws DiskException {
        begin();
        disk.read(path);
        return file.size();
    }

    @Override
    public void setSize(long bytes) throws DiskException {
        begin();
        disk.write(path);
        file.setSize(bytes);
    }

    @Override
    public void close() {}

    private void begin() {
        if (!disk.isCurrent(born)) {
            throw new PowerLoss();
        }
    }
}
