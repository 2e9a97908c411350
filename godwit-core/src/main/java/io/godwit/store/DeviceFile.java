// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.memory.XxHash64;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The file of the device state; integers are little-endian.
 *
 * <pre>
 *    0  8  "GWDEVICE"
 *    8  4  format, 1
 *   12  4  attempt: as in the manifest, else the file is about an older VM
 *   16  4  1 if it came in a PACKAGED blob, so that the VM is this store's from here on; else 0
 *   20  4  n1, bytes of early sections
 *   24  4  n2, bytes of late sections
 *   28  4  n3, bytes of vmdesc, or -1
 *   32  8  XXH64 of what follows, seeded with the XXH64 of the 32 bytes before
 *   40     n1 + n2 + n3 bytes; what follows is of no meaning
 * </pre>
 *
 * <p>In postcopy this file is the commit: whole and of the manifest's attempt it outweighs a manifest that still says receiving. So the commit is one write and one sync
 * of a file whose room was taken and whose name was synced before.
 */
final class DeviceFile {
    static final String NAME = "devices";

    private static final String NEW = "devices.new";
    private static final long MAGIC = 0x4543495645445747L;
    private static final int FORMAT = 1;
    private static final int HEADER = 40;
    private static final int HASHED_HEADER = 32;
    private static final int CHUNK = 1 << 20;
    /** Room taken in advance: real device states have 10 KiB to 1 MiB, and a full disk must not stand between the VM and its commit. */
    private static final int RESERVE = 1 << 20;

    /**
     * What the file says.
     *
     * @param handedOver whether it came by postcopy
     */
    record Content(StoredDevices devices, boolean handedOver) {}

    private DeviceFile() {}

    /** An empty file of that name with room taken. Its content is not synced. */
    static void reserve(Disk disk, Path folder) throws DiskException {
        try (DiskFile file = disk.openForWriting(folder.resolve(NAME))) {
            file.setSize(0);
            file.write(ByteBuffer.allocate(RESERVE), 0);
        }
    }

    /** Writes in place and syncs: the commit. */
    static void commit(Disk disk, Path folder, StoredDevices devices, int attempt) throws DiskException {
        write(disk, folder.resolve(NAME), devices, attempt, true);
    }

    /** Replaces the file by a new one. The folder is not synced. */
    static void replace(Disk disk, Path folder, Content content, int attempt) throws DiskException {
        Path fresh = folder.resolve(NEW);
        write(disk, fresh, content.devices(), attempt, content.handedOver());
        disk.rename(fresh, folder.resolve(NAME));
    }

    private static void write(Disk disk, Path path, StoredDevices devices, int attempt, boolean handedOver)
            throws DiskException {
        byte[] description = devices.vmDescription();
        int described = description == null ? 0 : description.length;
        ByteBuffer out = ByteBuffer.allocate(
                        Math.addExact(HEADER + devices.early().length, devices.late().length + described))
                .order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(MAGIC).putInt(FORMAT).putInt(attempt).putInt(handedOver ? 1 : 0);
        out.putInt(devices.early().length).putInt(devices.late().length).putInt(description == null ? -1 : described);
        out.putLong(0).put(devices.early()).put(devices.late());
        if (description != null) {
            out.put(description);
        }
        out.putLong(HASHED_HEADER, hash(out.array(), out.position())).flip();
        try (DiskFile file = disk.openForWriting(path)) {
            for (int at = 0; at < out.capacity(); at += CHUNK) {
                file.write(out.slice(at, Math.min(CHUNK, out.capacity() - at)), at);
            }
            file.sync();
        }
    }

    /** What the file says, or null if there is none of this attempt that is whole. */
    static @Nullable Content read(Disk disk, Path folder, int attempt) throws DiskException {
        Path path = folder.resolve(NAME);
        if (!disk.exists(path)) {
            return null;
        }
        try (DiskFile file = disk.openForReading(path)) {
            ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
            if (file.read(header, 0) < HEADER
                    || header.getLong(0) != MAGIC
                    || header.getInt(8) != FORMAT
                    || header.getInt(12) != attempt) {
                return null;
            }
            int early = header.getInt(20);
            int late = header.getInt(24);
            int described = header.getInt(28);
            long length = HEADER + (long) early + late + Math.max(0, described);
            if (early < 0 || late < 0 || described < -1 || length > file.size() || length > Integer.MAX_VALUE - 8) {
                return null;
            }
            byte[] all = new byte[(int) length];
            for (int at = 0; at < all.length; at += CHUNK) {
                file.read(ByteBuffer.wrap(all, at, Math.min(CHUNK, all.length - at)), at);
            }
            if (hash(all, all.length) != header.getLong(HASHED_HEADER)) {
                return null;
            }
            return new Content(
                    new StoredDevices(
                            part(all, HEADER, early),
                            part(all, HEADER + early, late),
                            described < 0 ? null : part(all, HEADER + early + late, described)),
                    header.getInt(16) == 1);
        }
    }

    private static byte[] part(byte[] all, int from, int length) {
        return Arrays.copyOfRange(all, from, from + length);
    }

    private static long hash(byte[] all, int length) {
        MemorySegment bytes = MemorySegment.ofArray(all);
        return XxHash64.hash(bytes, HEADER, length - HEADER, XxHash64.hash(bytes, 0, HASHED_HEADER, 0));
    }
}
