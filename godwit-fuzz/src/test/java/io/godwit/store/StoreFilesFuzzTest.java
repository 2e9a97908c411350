// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Budget;
import io.godwit.fuzz.Pieces;
import io.godwit.memory.XxHash64;
import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.sim.SimDisk;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * What a bad disk may leave of a store's files. The first byte of an input is whether its sums are made right, else nothing would come past them. What was believed is
 * written and read as the same again.
 */
class StoreFilesFuzzTest {
    private static final Path FOLDER = Path.of("/vm");
    private static final int ATTEMPT = 1;
    private static final BlockTable BLOCKS =
            new BlockTable(List.of(BlockInfo.of("ram", 1000 << 12), BlockInfo.of("rom", 64 << 12)));
    private static final int DEVICE_HASH = 32;
    private static final int DEVICE_HEADER = 40;

    private static SimDisk disk(String name, byte[] content) throws DiskException {
        SimDisk disk = new SimDisk(new Random(1));
        disk.createFolder(FOLDER);
        try (DiskFile file = disk.openForWriting(FOLDER.resolve(name))) {
            file.write(ByteBuffer.wrap(content), 0);
        }
        return disk;
    }

    private interface Work {
        void run() throws DiskException;
    }

    /** The disk of these tests is in order: it throws nothing. */
    private static void within(byte[] input, Work work) {
        Budget.holds(input.length, _ -> {
            try {
                work.run();
            } catch (DiskException e) {
                throw new AssertionError("the disk is in order", e);
            }
        });
    }

    @FuzzTest
    void devices(byte[] input) {
        byte[] file = Pieces.rest(input, 1);
        if ((Pieces.control(input, 0) & 1) == 0) {
            hashDevices(file);
        }
        within(input, () -> devicesRead(file));
    }

    private static void hashDevices(byte[] file) {
        if (file.length < DEVICE_HEADER) {
            return;
        }
        ByteBuffer header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        long length = DEVICE_HEADER + (long) header.getInt(20) + header.getInt(24) + Math.max(0, header.getInt(28));
        if (length >= DEVICE_HEADER && length <= file.length) {
            MemorySegment all = MemorySegment.ofArray(file);
            header.putLong(
                    DEVICE_HASH,
                    XxHash64.hash(all, DEVICE_HEADER, length - DEVICE_HEADER, XxHash64.hash(all, 0, DEVICE_HASH, 0)));
        }
    }

    private static void devicesRead(byte[] file) throws DiskException {
        SimDisk disk = disk(DeviceFile.NAME, file);
        DeviceFile.Content content = DeviceFile.read(disk, FOLDER, ATTEMPT);
        if (content == null) {
            return;
        }
        DeviceFile.replace(disk, FOLDER, content, ATTEMPT);
        DeviceFile.Content again = DeviceFile.read(disk, FOLDER, ATTEMPT);
        if (again == null
                || again.handedOver() != content.handedOver()
                || !Arrays.equals(again.devices().early(), content.devices().early())
                || !Arrays.equals(again.devices().late(), content.devices().late())
                || !Arrays.equals(
                        again.devices().vmDescription(), content.devices().vmDescription())) {
            throw new AssertionError("a device file is written as another one");
        }
    }

    @FuzzTest
    void presence(byte[] input) {
        byte[] file = Pieces.rest(input, 1);
        if ((Pieces.control(input, 0) & 1) == 0) {
            hashPresence(file);
        }
        // Twice the tables of a store, and the buffers of a reader and a writer.
        within(input, () -> presenceRead(file));
    }

    private static void hashPresence(byte[] file) {
        if (file.length < PresenceLog.HEADER) {
            return;
        }
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        in.putLong(24, XxHash64.hash(MemorySegment.ofArray(file), 0, 24, 0));
        long generation = in.getLong(16);
        int at = PresenceLog.HEADER;
        while (at + PresenceLog.RECORD_HEADER + PresenceLog.HASH <= file.length) {
            int payload = in.getInt(at + 4);
            if (payload < 0 || payload > file.length - at - PresenceLog.RECORD_HEADER - PresenceLog.HASH) {
                return;
            }
            int length = PresenceLog.RECORD_HEADER + payload;
            MemorySegment record = MemorySegment.ofArray(file).asSlice(at, length);
            in.putLong(at + length, PresenceLog.recordHash(record, length, generation, at));
            at += length + PresenceLog.HASH;
        }
    }

    private static Presence read(SimDisk disk) throws DiskException {
        Presence presence = new Presence(BLOCKS);
        try (DiskFile file = disk.openForReading(FOLDER.resolve(PresenceFile.NAME))) {
            PresenceReader.read(file, ATTEMPT, presence);
        }
        return presence;
    }

    private static void presenceRead(byte[] file) throws DiskException {
        SimDisk disk = disk(PresenceFile.NAME, file);
        Presence presence = read(disk);
        PageBitmap[] received = {presence.received(0), presence.received(1)};
        PresenceFile.rewrite(disk, FOLDER, presence, received, ATTEMPT, 2).close();
        Presence again = read(disk);
        for (int block = 0; block < received.length; block++) {
            if (!again.received(block).equals(received[block])
                    || !again.durable(block).equals(presence.durable(block))) {
                throw new AssertionError("block " + block + " has " + received[block] + " and, written and read, "
                        + again.received(block));
            }
        }
    }
}
