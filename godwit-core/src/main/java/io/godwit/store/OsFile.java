// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** A file of {@link OsDisk}. */
final class OsFile implements DiskFile {
    private final FileChannel channel;
    private final Path path;

    OsFile(FileChannel channel, Path path) {
        this.channel = channel;
        this.path = path;
    }

    @Override
    public int read(ByteBuffer into, long position) throws DiskException {
        try {
            int total = 0;
            while (into.hasRemaining()) {
                int n = channel.read(into, position + total);
                if (n < 0) {
                    break;
                }
                total += n;
            }
            return total;
        } catch (IOException e) {
            throw OsDisk.explain("cannot read " + path + " at " + position, path, e);
        }
    }

    @Override
    public int read(ByteBuffer[] into, int from, int count, long position) throws DiskException {
        try {
            int total = 0;
            // A channel scatters from where it is, which nobody else looks at: all other reads and writes say where.
            synchronized (channel) {
                channel.position(position);
                while (into[from + count - 1].hasRemaining()) {
                    long n = channel.read(into, from, count);
                    if (n < 0) {
                        break;
                    }
                    total += (int) n;
                }
            }
            return total;
        } catch (IOException e) {
            throw OsDisk.explain("cannot read " + path + " at " + position, path, e);
        }
    }

    @Override
    public void write(ByteBuffer from, long position) throws DiskException {
        int start = from.position();
        try {
            while (from.hasRemaining()) {
                channel.write(from, position + from.position() - start);
            }
        } catch (IOException e) {
            from.position(start);
            throw OsDisk.explain("cannot write " + path + " at " + position, path, e);
        }
    }

    @Override
    public void sync() throws DiskException {
        try {
            channel.force(true);
        } catch (IOException e) {
            throw new DiskException(DiskException.Kind.SYNC, "cannot make " + path + " durable: " + e.getMessage(), e);
        }
    }

    @Override
    public long size() throws DiskException {
        try {
            return channel.size();
        } catch (IOException e) {
            throw OsDisk.explain("cannot tell the length of " + path, path, e);
        }
    }

    @Override
    public void setSize(long bytes) throws DiskException {
        try {
            long size = channel.size();
            if (bytes < size) {
                channel.truncate(bytes);
            } else if (bytes > size) {
                // A channel cannot grow a file but by writing to it. A zero byte at the new end reads like the hole
                // before it.
                channel.write(ByteBuffer.wrap(new byte[1]), bytes - 1);
            }
        } catch (IOException e) {
            throw OsDisk.explain("cannot set the length of " + path + " to " + bytes + " bytes", path, e);
        }
    }

    @Override
    public void close() throws DiskException {
        try {
            channel.close();
        } catch (IOException e) {
            throw OsDisk.explain("cannot close " + path, path, e);
        }
    }
}
