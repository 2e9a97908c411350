// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A QEMU that can be started.
 *
 * @param version "10.0", or "" if that is not known before it runs
 */
public record QemuProgram(String version, Path program) {
    private static final String PREFIX = "qemu-";
    private static final Pattern SERIES = Pattern.compile("[0-9]{1,3}\\.[0-9]{1,3}");
    private static final String ON_PATH = "qemu-system-x86_64";

    /**
     * Looks into the folder that {@code bin/install-qemu} fills, then into PATH.
     *
     * @param version the one that is wanted, "" for the newest
     * @return null if there is none
     */
    public static @Nullable QemuProgram find(String version, Map<String, String> environment) throws IOException {
        Path folder = folder(environment);
        if (!version.isEmpty()) {
            Path program = folder.resolve(PREFIX + version);
            return SERIES.matcher(version).matches() && Files.isExecutable(program)
                    ? new QemuProgram(version, program)
                    : null;
        }
        Optional<QemuProgram> newest = installed(folder).stream().max(Comparator.comparingInt(QemuProgram::rank));
        if (newest.isPresent()) {
            return newest.get();
        }
        for (String place : environment.getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
            Path program = Path.of(place, ON_PATH);
            if (!place.isEmpty() && Files.isExecutable(program)) {
                return new QemuProgram("", program);
            }
        }
        return null;
    }

    /** What to do if there is none. */
    public static String advice(String version, Map<String, String> environment) {
        return "there is no QEMU" + (version.isEmpty() ? "" : " " + version) + ": bin/install-qemu puts some into "
                + folder(environment) + ", GODWIT_QEMU names another folder with programs like qemu-10.0"
                + (version.isEmpty() ? ", and " + ON_PATH + " on the PATH will do, too" : "");
    }

    private static Path folder(Map<String, String> environment) {
        String set = environment.getOrDefault("GODWIT_QEMU", "");
        if (!set.isEmpty()) {
            return Path.of(set);
        }
        String cache = environment.getOrDefault("XDG_CACHE_HOME", "");
        Path home = cache.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache);
        return home.resolve("godwit").resolve("qemu");
    }

    private static List<QemuProgram> installed(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
                    .filter(file -> file.getFileName().toString().startsWith(PREFIX))
                    .map(file -> new QemuProgram(file.getFileName().toString().substring(PREFIX.length()), file))
                    .filter(found -> SERIES.matcher(found.version).matches())
                    .toList();
        }
    }

    private int rank() {
        int dot = version.indexOf('.');
        return Integer.parseInt(version.substring(0, dot)) * 1000 + Integer.parseInt(version.substring(dot + 1));
    }
}
