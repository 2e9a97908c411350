// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.json.Json;
import io.godwit.json.JsonFormat;
import io.godwit.json.JsonLimits;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** {@code manifest.json}: replaced as a whole, so it is always the old one or the new one. */
final class ManifestFile {
    static final String NAME = "manifest.json";

    private static final String NEW = "manifest.json.new";
    private static final long MAX_BYTES = 4 << 20;

    private ManifestFile() {}

    /** Writes the new one beside the old one, which stands. */
    static void prepare(Disk disk, Path folder, Manifest manifest) throws DiskException {
        byte[] text = (ManifestJson.encode(manifest).toText(JsonFormat.PRETTY) + "\n").getBytes(StandardCharsets.UTF_8);
        Path fresh = folder.resolve(NEW);
        try (DiskFile file = disk.openForWriting(fresh)) {
            file.setSize(0);
            file.write(ByteBuffer.wrap(text), 0);
            file.sync();
        }
    }

    /** The one that was prepared takes the old one's place, durably when this returns; if it throws, either may be found. */
    static void replace(Disk disk, Path folder) throws DiskException {
        disk.rename(folder.resolve(NEW), folder.resolve(NAME));
        disk.syncFolder(folder);
    }

    /**
     * The manifest, or null if the folder has none.
     *
     * @throws StoreException of kind {@code CORRUPT}, with what is wrong
     */
    static @Nullable Manifest read(Disk disk, Path folder) throws DiskException {
        Path path = folder.resolve(NAME);
        if (!disk.exists(path)) {
            return null;
        }
        byte[] text;
        try (DiskFile file = disk.openForReading(path)) {
            long size = file.size();
            if (size > MAX_BYTES) {
                throw corrupt(path, "it has " + size + " bytes", null);
            }
            text = new byte[(int) size];
            file.read(ByteBuffer.wrap(text), 0);
        }
        try {
            if (!(Json.parse(text, JsonLimits.DEFAULT) instanceof JsonObject json)) {
                throw corrupt(path, "it is no JSON object", null);
            }
            Manifest manifest = ManifestJson.decode(json);
            return handedOver(disk, folder, manifest)
                    ? manifest.with(new StoreState.ReceivingPostcopy(), manifest.changed())
                    : manifest;
        } catch (JsonSyntaxException | IllegalArgumentException e) {
            throw corrupt(path, String.valueOf(e.getMessage()), e);
        }
    }

    /** The device file may be ahead of the manifest: see {@link DeviceFile}. */
    private static boolean handedOver(Disk disk, Path folder, Manifest manifest) throws DiskException {
        if (!(manifest.state() instanceof StoreState.Receiving)) {
            return false;
        }
        DeviceFile.Content devices = DeviceFile.read(disk, folder, manifest.attempt());
        return devices != null && devices.handedOver();
    }

    private static StoreException corrupt(Path path, String what, @Nullable Throwable cause) {
        return new StoreException(
                StoreException.Kind.CORRUPT,
                "the manifest " + path + " cannot be used: " + what + "; restore it from a copy",
                cause);
    }
}
