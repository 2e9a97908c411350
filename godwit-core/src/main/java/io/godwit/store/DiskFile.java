// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.nio.ByteBuffer;

/** An open file. Reads and writes at positions of their own may be made by several threads at a time. */
public interface DiskFile extends AutoCloseable {
    /**
     * Reads from {@code position} (bytes) on until {@code into} is full or the file ends.
     *
     * @return bytes read; fewer than there was room for only at the file's end
     */
    int read(ByteBuffer into, long position) throws DiskException;

    /**
     * Reads from {@code position} (bytes) on into {@code count} of these buffers, one after the other, until each is full or the file ends.
     *
     * @param from the first of them
     * @return bytes read in all; fewer than there was room for only at the file's end
     */
    default int read(ByteBuffer[] into, int from, int count, long position) throws DiskException {
        int total = 0;
        for (int i = from; i < from + count; i++) {
            total += read(into[i], position + total);
        }
        return total;
    }

    /** Writes all that remains in {@code from}. After a failure any part of it may have been written, and the buffer's position is as it was. */
    void write(ByteBuffer from, long position) throws DiskException;

    /**
     * Makes everything written through any handle of this file durable, its length included. If it fails, whatever was written since the last good sync counts
     * as lost, also if a later sync succeeds: the system may have forgotten it.
     */
    void sync() throws DiskException;

    /** Length in bytes. */
    long size() throws DiskException;

    /** Sets the length: what is cut off is gone, what is added reads as zeroes and takes no room. */
    void setSize(long bytes) throws DiskException;

    @Override
    void close() throws DiskException;
}
