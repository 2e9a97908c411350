// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import io.godwit.guest.BootSector;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.sys.ByteSizes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What a QEMU's guest has in memory, as its QMP gives it. */
public final class VmMemory {
    private static final int PIECE = 16 << 20;

    private final End end;
    private final Path file;
    private final BootSector guest;

    /** @param folder where its memory may be written, a piece at a time */
    public VmMemory(End end, Path folder, BootSector guest) {
        this.end = end;
        this.file = folder.resolve("memory");
        this.guest = guest;
    }

    /** How often the last page was counted, mod 256; the guest may run meanwhile. */
    public int last() throws LabFailed, IOException {
        return read(guest.end() - BootSector.PAGE, 1)[0] & 0xff;
    }

    /** Whether every page has been counted since the guest filled it; the guest may run meanwhile. */
    public boolean isCounted() throws LabFailed, IOException {
        byte[] fresh = new byte[BootSector.PAGE];
        guest.fill(guest.pages() - 1, fresh);
        byte[] now = read(guest.end() - BootSector.PAGE, BootSector.PAGE);
        return now[0] != fresh[0] && Arrays.mismatch(now, 1, now.length, fresh, 1, fresh.length) < 0;
    }

    private byte[] read(long from, int length) throws LabFailed, IOException {
        try {
            end.ask(
                    "pmemsave",
                    JsonObject.builder()
                            .put("val", from)
                            .put("size", length)
                            .put("filename", file.toString())
                            .build());
            return Files.readAllBytes(file);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /**
     * Compares the guest's pages, while it is stopped, with a file of its memory.
     *
     * @param image physical memory from address 0 on
     * @return the first page that differs, as a sentence; null if none does
     */
    public @Nullable String difference(Path image) throws LabFailed, IOException {
        try (FileChannel in = FileChannel.open(image)) {
            for (long at = guest.first(); at < guest.end(); at += PIECE) {
                byte[] here = read(at, (int) Math.min(PIECE, guest.end() - at));
                ByteBuffer there = ByteBuffer.allocate(here.length);
                for (long from = at; there.hasRemaining(); from = at + there.position()) {
                    if (in.read(there, from) < 0) {
                        return image + " ends at 0x%x".formatted(from);
                    }
                }
                int differs = Arrays.mismatch(here, there.array());
                if (differs >= 0) {
                    return "page %d at 0x%x: byte %d is 0x%02x in the machine, 0x%02x in %s"
                            .formatted(
                                    (at + differs - guest.first()) / BootSector.PAGE,
                                    (at + differs) / BootSector.PAGE * BootSector.PAGE,
                                    differs % BootSector.PAGE,
                                    here[differs],
                                    there.array()[differs],
                                    image.getFileName());
                }
            }
            return null;
        }
    }

    /** Looks at all pages of a guest that is stopped: whether they are right, how many they are, and a sentence. */
    public JsonObject verify() throws LabFailed, IOException {
        BootSector.Inspection inspection = guest.inspect();
        String damage = null;
        for (long at = guest.first(); at < guest.end() && damage == null; at += PIECE) {
            damage = inspection.look(read(at, (int) Math.min(PIECE, guest.end() - at)));
        }
        String summary = damage == null
                ? "all %,d pages (%s) are right: counted n+1 times up to one, n times from it on"
                        .formatted(inspection.pages(), ByteSizes.show((long) inspection.pages() * BootSector.PAGE))
                : "the memory is damaged: " + damage;
        return JsonObject.builder()
                .put("ok", Json.of(damage == null))
                .put("pages", inspection.pages())
                .put("summary", summary)
                .build();
    }
}
