// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Removing a VM's folder. */
public final class Removal {
    private Removal() {}

    /**
     * Why the VM may not be removed, as a sentence, or null.
     *
     * @param force the operator's explicit word, which a parked VM needs
     */
    public static @Nullable String refusal(VmStore store, boolean force) {
        Manifest manifest = store.manifest();
        if (manifest == null) {
            return null;
        }
        String vm = "the VM in " + store.folder() + " is " + manifest.state().word();
        return switch (manifest.state()) {
            case StoreState.Receiving _, StoreState.Gone _ -> null;
            case StoreState.Parked _, StoreState.ParkedUnconfirmed _ ->
                force ? null : vm + " and perhaps exists nowhere else; say --force if it is to be destroyed";
            case StoreState.ReceivingPostcopy _ ->
                vm + ": it exists nowhere else as a whole; recover its reception, then it can be removed";
            case StoreState.Leaving _ ->
                vm + ": its destination may still need it; it can be removed once that has completed";
        };
    }

    /** Removes the VM and closes the store. A power loss on the way leaves a folder without a VM, which may be removed again. */
    public static void remove(VmStore store, boolean force) {
        String refusal = refusal(store, force);
        if (refusal != null) {
            throw new StoreException(StoreException.Kind.REFUSED, refusal);
        }
        store.removeFiles();
    }

    /** The manifest goes first and durably: without it the rest means nothing. Files that are not the store's stay, and the folder with them. */
    static void delete(Disk disk, Path folder) throws DiskException {
        disk.delete(folder.resolve(ManifestFile.NAME));
        disk.syncFolder(folder);
        boolean strangers = false;
        for (String name : disk.list(folder)) {
            if (isPart(name) || isOwn(name)) {
                disk.delete(folder.resolve(name));
            } else {
                strangers = true;
            }
        }
        if (strangers) {
            disk.syncFolder(folder);
        } else {
            disk.delete(folder);
            Path above = folder.toAbsolutePath().getParent();
            if (above != null) {
                disk.syncFolder(above);
            }
        }
    }

    /**
     * Before a folder's first manifest: nothing may outweigh that, and a power loss may not take it away with the folder. A removal that a crash has cut short leaves files of a VM whose attempts were
     * counted from 1, as the new one's will be, so its device file would pass for the new one's; and whoever made the folder, an operator or a process that was killed right then, its name need not be
     * durable.
     */
    static void makeWay(Disk disk, Path folder) throws DiskException {
        List<String> left = disk.list(folder).stream()
                .filter(name -> isPart(name) || name.equals(DeviceFile.NAME))
                .toList();
        if (!left.isEmpty()) {
            // That the manifest is gone comes first here, too.
            disk.syncFolder(folder);
        }
        for (String name : left) {
            disk.delete(folder.resolve(name));
        }
        disk.syncFolder(folder);
        Path above = folder.toAbsolutePath().getParent();
        if (above != null && !disk.maySync(above)) {
            throw new StoreException(
                    StoreException.Kind.UNUSABLE,
                    "a power loss could take the folder " + folder + " with the VM in it: this user may not read "
                            + above
                            + ", so the folder's name cannot be made durable; give the right to read that one, or choose another folder");
        }
        if (above != null) {
            disk.syncFolder(above);
        }
    }

    /** Whether the file belongs to one attempt. */
    static boolean isPart(String name) {
        return name.matches("(ram|digest)-[0-9]+|presence(\\.new)?|devices\\.new");
    }

    private static boolean isOwn(String name) {
        return name.equals(DeviceFile.NAME) || name.equals(VmStore.LOCK) || name.equals(ManifestFile.NAME + ".new");
    }
}
