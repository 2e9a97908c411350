// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** One parked guest of each version: made when it is first wanted, and copied since. */
final class ParkedImages {
    private static final Map<QemuVersion, Path> MADE = new EnumMap<>(QemuVersion.class);

    private ParkedImages() {}

    static synchronized void copy(QemuVersion version, Path to) throws Exception {
        Path from = MADE.get(version);
        if (from == null) {
            Path scratch = Files.createTempDirectory("gm");
            Cell cell = new Cell(version, Cell.Role.PARK, false, Cell.Way.PRECOPY);
            try (ParkTrial trial = new ParkTrial(cell, scratch)) {
                trial.run();
            }
            from = scratch.resolve("vm");
            MADE.put(version, from);
        }
        copyFiles(from, to);
    }

    private static void copyFiles(Path from, Path to) throws IOException {
        Files.createDirectory(to);
        List<Path> files;
        try (var all = Files.list(from)) {
            files = all.toList();
        }
        for (Path file : files) {
            Files.copy(file, to.resolve(file.getFileName()));
        }
    }

    /** Leaves nothing behind. */
    static synchronized void forget() throws IOException {
        for (Path vm : MADE.values()) {
            try (var all = Files.walk(vm.getParent())) {
                for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(each);
                }
            }
        }
        MADE.clear();
    }
}
