// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import java.nio.file.Path;

/** Reads the files of a complete VM. */
final class StoredVm {
    private StoredVm() {}

    static StoreSource source(Disk disk, Path folder, Manifest manifest) throws DiskException {
        BlockTable table = new BlockTable(manifest.arrival().blocks());
        Presence presence = new Presence(table);
        readPresence(disk, folder, manifest.attempt(), presence);
        if (presence.missing() > 0) {
            throw new StoreException(
                    StoreException.Kind.CORRUPT,
                    "the VM in " + folder + " is " + manifest.state().word() + ", but its file " + PresenceFile.NAME
                            + " is damaged: it lacks " + presence.missing() + " pages; restore it from a copy");
        }
        return new StoreSource(BlockFiles.open(disk, folder, table, false), presence);
    }

    static StoredDevices devices(Disk disk, Path folder, Manifest manifest) throws DiskException {
        DeviceFile.Content content = DeviceFile.read(disk, folder, manifest.attempt());
        if (content == null) {
            throw new StoreException(
                    StoreException.Kind.CORRUPT,
                    "the device state of the VM in " + folder + " is damaged (file " + DeviceFile.NAME
                            + "); restore it from a copy");
        }
        return content.devices();
    }

    /** @return the file's generation, or 0 if there is none of this attempt */
    static long readPresence(Disk disk, Path folder, int attempt, Presence presence) throws DiskException {
        Path path = folder.resolve(PresenceFile.NAME);
        if (!disk.exists(path)) {
            return 0;
        }
        try (DiskFile file = disk.openForReading(path)) {
            return PresenceReader.read(file, attempt, presence);
        }
    }
}
