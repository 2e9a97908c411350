// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Zeroed memory from the kernel, mapped for reading and writing, that takes no room before it is touched. Thread-safe; after
 * {@link #close} every access through {@link #segment} throws {@link IllegalStateException} instead of touching what is gone.
 */
public final class MappedMemory implements AutoCloseable {
    private final String name;
    private final long address;
    private final long bytes;
    private final int fd;
    private final Arena arena;
    private final MemorySegment segment;

    @SuppressWarnings({"restricted", "MustBeClosedChecker"}) // the arena is closed by close()
    private MappedMemory(String name, long address, long bytes, int fd) {
        this.name = name;
        this.address = address;
        this.bytes = bytes;
        this.fd = fd;
        this.arena = Arena.ofShared();
        this.segment = MemorySegment.ofAddress(address).reinterpret(bytes, arena, ignored -> release());
    }

    /**
     * Private memory without a file.
     *
     * @param name what it is for, named in errors
     * @param bytes a positive multiple of 4096
     * @throws SystemCallException if the kernel refuses
     */
    public static MappedMemory anonymous(String name, long bytes) throws SystemCallException {
        // Without MAP_NORESERVE: a kernel that counts its promises shall say no here and not by killing us later.
        long address = Libc.mmap(cannot(name, bytes), bytes, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1);
        return new MappedMemory(name, address, bytes, -1);
    }

    /** Memory in a nameless file of its own (memfd), mapped shared. Parameters and errors as in {@link #anonymous}. */
    public static MappedMemory memfd(String name, long bytes) throws SystemCallException {
        String what = cannot(name, bytes);
        int fd = Libc.memfdCreate(what, name);
        try {
            Libc.ftruncate(what, fd, bytes);
            return new MappedMemory(name, Libc.mmap(what, bytes, Libc.MAP_SHARED, fd), bytes, fd);
        } catch (SystemCallException e) {
            Libc.close("cannot close the file of block '" + name + "'", fd);
            throw e;
        }
    }

    private static String cannot(String name, long bytes) {
        return "cannot get " + ByteSizes.show(bytes) + " for block '" + name + "'";
    }

    /** The whole of it. Not to leave the package that manages guest memory. */
    public MemorySegment segment() {
        return segment;
    }

    public long size() {
        return bytes;
    }

    /**
     * Gives a range back to the system: it reads as zeroes afterwards and takes no room. Both numbers are multiples of 4096. A system
     * call, about 0.5 to 2 µs and more for long ranges.
     */
    public synchronized void discard(long offset, long length) throws SystemCallException {
        checkRange(offset, length);
        String what = "cannot discard " + length + " bytes of block '" + name + "'";
        if (fd >= 0) {
            Libc.punchHole(what, fd, offset, length);
        } else {
            Libc.madvise(what, address + offset, length, Libc.MADV_DONTNEED);
        }
    }

    /**
     * Has the kernel make the pages of a range now, all at once, as if each had been written to; none changes its bytes. Both numbers are multiples of 4096. Allocates nothing. A system
     * call, about 1 µs per page that is not there yet.
     *
     * @return false if the kernel cannot: it is older than 5.14, or has no room
     */
    public synchronized boolean populate(long offset, long length) {
        checkRange(offset, length);
        return Libc.populateWrite(address + offset, length);
    }

    /** Asks for huge pages, as QEMU does for a guest's memory; a kernel that has none, or no such setting, goes on with small ones. To be called before the memory is touched. */
    public synchronized void preferHugePages() {
        checkRange(0, bytes);
        Libc.preferHugePages(address, bytes);
    }

    private void checkRange(long offset, long length) {
        if (!arena.scope().isAlive()) {
            // The address may be somebody else's by now.
            throw new IllegalStateException("block '" + name + "' is closed");
        }
        if (offset < 0 || length < 0 || offset > bytes - length || ((offset | length) & 4095) != 0) {
            throw new IndexOutOfBoundsException("bytes " + offset + " to " + (offset + length) + " of '" + name
                    + "', which has " + bytes + " bytes, are no range of whole pages in it");
        }
    }

    private void release() {
        try {
            Libc.munmap("cannot unmap block '" + name + "'", address, bytes);
            if (fd >= 0) {
                Libc.close("cannot close the file of block '" + name + "'", fd);
            }
        } catch (SystemCallException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Unmaps it. No effect the second time. */
    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
