// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.vm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A QEMU for x86_64 that is installed here.
 *
 * @param program what starts it
 */
public record Emulator(int major, int minor, Path program) {
    /** By which some tell what a connection is ({@code docs/compatibility.md}). */
    public static final int FIRST_BYTES = 4;

    private static final String ON_PATH = "qemu-system-x86_64";
    private static final Pattern NAME = Pattern.compile("qemu-([0-9]{1,4})\\.([0-9]{1,4})");
    private static final Pattern SAID = Pattern.compile("version ([0-9]{1,4})\\.([0-9]{1,4})");
    private static final int SAID_BYTES = 4096;
    private static final long PATIENCE_SECONDS = 20;
    private static final Comparator<Emulator> BY_VERSION =
            Comparator.comparingInt(Emulator::major).thenComparingInt(Emulator::minor);

    /** None is here, or not the one that was asked for; the message says what to do. */
    public static final class Missing extends Exception {
        private static final long serialVersionUID = 1;

        Missing(String message) {
            super(message);
        }
    }

    /** "11.1". */
    public String series() {
        return major + "." + minor;
    }

    public boolean atLeast(int wantedMajor, int wantedMinor) {
        return major > wantedMajor || (major == wantedMajor && minor >= wantedMinor);
    }

    /** Whether a recovery that fails may be its last ({@code spec/sequences.md §6.4}): so it is with 7.2, and no more since 8.2. */
    public boolean mayNotSurviveFailedRecoveries() {
        return !atLeast(8, 2);
    }

    /** Whether as destination it gives its guest up for a recovery that ends before {@link #FIRST_BYTES} have come: so it is with 11.1, not with 10.0. */
    public boolean mayGiveUpEarly() {
        return atLeast(10, 1);
    }

    /**
     * Looks where {@code bin/install-qemu} puts them ({@code GODWIT_QEMU}, else {@code ~/.cache/godwit/qemu}) and on the {@code PATH}.
     *
     * @param wanted a series, as "10.0"; null for the newest that is here
     */
    public static Emulator find(Map<String, String> environment, @Nullable String wanted) throws Missing {
        Path folder = folder(environment);
        List<Emulator> all = new ArrayList<>(in(folder));
        String path = environment.getOrDefault("PATH", "");
        onPath(path).ifPresent(all::add);
        Predicate<Emulator> fits = emulator ->
                wanted == null || wanted.equals(emulator.series()) || wanted.startsWith(emulator.series() + ".");
        // The first of the newest: one of the folder's before the system's own.
        Optional<Emulator> best = all.stream().filter(fits).reduce((a, b) -> BY_VERSION.compare(b, a) > 0 ? b : a);
        if (best.isPresent()) {
            return best.get();
        }
        String there = all.isEmpty()
                ? "there is no QEMU"
                : "there is no QEMU " + wanted + ", but "
                        + all.stream().map(Emulator::series).distinct().collect(Collectors.joining(", "));
        throw new Missing(there + " in " + folder + " and on the PATH: run bin/install-qemu"
                + ", or name the folder that has one as qemu-VERSION in GODWIT_QEMU");
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

    private static List<Emulator> in(Path folder) {
        List<Emulator> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Matcher name = NAME.matcher(file.getFileName().toString());
                if (name.matches() && Files.isExecutable(file) && Files.isRegularFile(file)) {
                    found.add(of(name, file));
                }
            }
        } catch (IOException none) {
            // A folder that is not there or not ours to read has none for us.
            return List.of();
        }
        return found;
    }

    private static Emulator of(Matcher version, Path program) {
        return new Emulator(Integer.parseInt(version.group(1)), Integer.parseInt(version.group(2)), program);
    }

    private static Optional<Emulator> onPath(String path) {
        for (String folder : path.split(":", -1)) {
            Path program = Path.of(folder.isEmpty() ? "." : folder, ON_PATH);
            if (Files.isExecutable(program) && Files.isRegularFile(program)) {
                return asked(program);
            }
        }
        return Optional.empty();
    }

    private static Optional<Emulator> asked(Path program) {
        try {
            Process process = new ProcessBuilder(program.toString(), "--version")
                    .redirectErrorStream(true)
                    .start();
            process.onExit()
                    .completeOnTimeout(process, PATIENCE_SECONDS, TimeUnit.SECONDS)
                    .join();
            if (process.isAlive()) {
                process.destroyForcibly();
                return Optional.empty();
            }
            Matcher said =
                    SAID.matcher(new String(process.getInputStream().readNBytes(SAID_BYTES), StandardCharsets.UTF_8));
            return said.find() ? Optional.of(of(said, program)) : Optional.empty();
        } catch (IOException unusable) {
            // What cannot be started is as good as not there.
            return Optional.empty();
        }
    }
}
