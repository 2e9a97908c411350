// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.sim.SimDisk;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Streams that QEMU saved to files. */
class CapturedStreamTest {
    private final SimDisk disk = new SimDisk(new SplittableRandom(1));

    private static byte[] stream(String vector) throws IOException {
        String given = System.getProperty("godwit.vectors");
        Path folder = given != null
                ? Path.of(given)
                : Path.of(System.getProperty("godwit.root", ".")).resolve("../shared/vectors");
        Assumptions.assumeTrue(
                Files.isDirectory(folder),
                "no captures at " + folder + "; say where they are with -Dgodwit.vectors=DIR");
        try (InputStream in =
                new GZIPInputStream(Files.newInputStream(folder.resolve(vector).resolve("stream.bin.gz")), 1 << 16)) {
            return in.readAllBytes();
        }
    }

    private static void load(byte[] stream, VmStore store) throws IOException {
        StreamImport.read(Channels.newChannel(new ByteArrayInputStream(stream)), store, true, _ -> {});
    }

    @ParameterizedTest
    @CsvSource({
        "v72-precopy-stopped-exec, pc-i440fx-7.2, 2",
        "v100-precopy-stopped-exec, pc-i440fx-10.0, 1",
        "v100-precopy-stopped-file-uuid, pc-i440fx-10.0, 1",
        "v111-precopy-stopped-file-uuid, pc-i440fx-11.1, 1"
    })
    void isImportedAndExportedWithoutALoss(String vector, String machine, int ramSection) throws IOException {
        byte[] stream = stream(vector);
        VmStore first = Shelf.open(disk);
        load(stream, first);
        Manifest manifest = Objects.requireNonNull(first.manifest());
        assertThat(manifest.arrival().machine()).isEqualTo(machine);
        assertThat(manifest.arrival().ramSectionId()).isEqualTo(ramSection);
        assertThat(manifest.runState()).isNotNull();
        assertThat(indexOf(stream, first.devices().late()))
                .as("the devices, verbatim")
                .isPositive();

        ByteArrayOutputStream exported = new ByteArrayOutputStream();
        try (StoreSource source = first.source()) {
            assertThat(Verification.run(source, _ -> {}).isWhole()).isTrue();
            StreamExport.write(manifest, first.devices(), source, Channels.newChannel(exported), _ -> {});
        }
        VmStore second = Shelf.open(disk, Path.of("/vms/second"));
        load(exported.toByteArray(), second);

        assertThat(second.devices()).isEqualTo(first.devices());
        for (int block = 0; block < manifest.arrival().blocks().size(); block++) {
            String file = Manifest.ramFile(block);
            assertThat(disk.peek(second.folder().resolve(file)))
                    .as(file)
                    .isEqualTo(disk.peek(first.folder().resolve(file)));
        }
    }

    private static int indexOf(byte[] all, byte[] part) {
        for (int at = 0; at + part.length <= all.length; at++) {
            if (Arrays.equals(all, at, at + part.length, part, 0, part.length)) {
                return at;
            }
        }
        return -1;
    }
}
