// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A file of a {@link SimDisk}: what readers see, what is on the medium, and what was written since the last sync. */
final class SimFile {
    private static final int SECTOR = SimDisk.SECTOR;

    private final Contents seen = new Contents();
    private final Contents medium = new Contents();
    private final List<Change> changes = new ArrayList<>();

    /** A write of {@code bytes}, or, if that is null, a new length. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Change(long position, byte @Nullable [] bytes) {}

    /** Sparse bytes. A sector's array is never changed, so that contents can share it. */
    private static final class Contents {
        final Map<Long, byte[]> sectors = new HashMap<>();
        long size;

        void write(long position, byte[] bytes) {
            for (int i = 0; i < bytes.length; ) {
                long at = position + i;
                int offset = (int) (at % SECTOR);
                int n = Math.min(SECTOR - offset, bytes.length - i);
                byte[] before = sectors.get(at / SECTOR);
                byte[] sector = before == null || n == SECTOR ? new byte[SECTOR] : before.clone();
                System.arraycopy(bytes, i, sector, offset, n);
                sectors.put(at / SECTOR, sector);
                i += n;
            }
            size = Math.max(size, position + bytes.length);
        }

        void setSize(long bytes) {
            if (bytes < size) {
                sectors.keySet().removeIf(sector -> sector * SECTOR >= bytes);
                byte[] last = sectors.get(bytes / SECTOR);
                if (last != null) {
                    byte[] shortened = last.clone();
                    Arrays.fill(shortened, (int) (bytes % SECTOR), SECTOR, (byte) 0);
                    sectors.put(bytes / SECTOR, shortened);
                }
            }
            size = bytes;
        }

        int read(ByteBuffer into, long position) {
            int n = (int) Math.max(0, Math.min(into.remaining(), size - position));
            for (int i = 0; i < n; ) {
                long at = position + i;
                int offset = (int) (at % SECTOR);
                int part = Math.min(SECTOR - offset, n - i);
                byte[] sector = sectors.get(at / SECTOR);
                into.put(sector == null ? new byte[SECTOR] : sector, offset, part);
                i += part;
            }
            return n;
        }

        void copyFrom(Contents other) {
            sectors.clear();
            sectors.putAll(other.sectors);
            size = other.size;
        }
    }

    int read(ByteBuffer into, long position) {
        return seen.read(into, position);
    }

    void write(long position, byte[] bytes) {
        seen.write(position, bytes);
        changes.add(new Change(position, bytes));
    }

    void setSize(long bytes) {
        seen.setSize(bytes);
        changes.add(new Change(bytes, null));
    }

    long size() {
        return seen.size;
    }

    /** Whether a write there needs no new room. */
    boolean hasRoom(long position, int length) {
        for (long sector = position / SECTOR; sector * SECTOR < position + length; sector++) {
            if (!seen.sectors.containsKey(sector)) {
                return false;
            }
        }
        return true;
    }

    byte[] bytes() {
        ByteBuffer all = ByteBuffer.allocate((int) seen.size);
        seen.read(all, 0);
        return all.array();
    }

    void damage(long position, int mask) {
        for (Contents contents : List.of(seen, medium)) {
            byte[] one = new byte[1];
            contents.read(ByteBuffer.wrap(one), position);
            one[0] ^= (byte) mask;
            contents.write(position, one);
        }
    }

    void sync() {
        for (Change change : changes) {
            apply(change);
        }
        changes.clear();
    }

    /** Readers go on seeing what was written, but of that only some reaches the medium, and the system has forgotten the rest. */
    void failSync(RandomGenerator random) {
        changes.forEach(change -> perhaps(change, random));
        changes.clear();
    }

    /** Another file that goes through the same from here on as this one would, and this one not. */
    SimFile copy() {
        SimFile copy = new SimFile();
        copy.seen.copyFrom(seen);
        copy.medium.copyFrom(medium);
        copy.changes.addAll(changes);
        return copy;
    }

    /** What was not synced comes to what chance makes of it. */
    void losePower(RandomGenerator random) {
        failSync(random);
        seen.copyFrom(medium);
    }

    private void apply(Change change) {
        byte[] bytes = change.bytes;
        if (bytes == null) {
            medium.setSize(change.position);
        } else {
            medium.write(change.position, bytes);
        }
    }

    private void perhaps(Change change, RandomGenerator random) {
        byte[] bytes = change.bytes;
        switch (random.nextInt(3)) {
            case 0 -> {}
            case 1 -> apply(change);
            default -> {
                if (bytes != null) {
                    torn(change.position, bytes, random);
                }
            }
        }
    }

    private void torn(long position, byte[] bytes, RandomGenerator random) {
        for (int i = 0; i < bytes.length; ) {
            int n = Math.min(SECTOR - (int) ((position + i) % SECTOR), bytes.length - i);
            if (random.nextBoolean()) {
                byte[] part = new byte[n];
                System.arraycopy(bytes, i, part, 0, n);
                medium.write(position + i, part);
            }
            i += n;
        }
    }
}
