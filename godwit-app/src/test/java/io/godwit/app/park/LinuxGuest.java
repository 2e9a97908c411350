// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The Linux of {@code bin/install-linux}, and what it has said on its serial console at all the QEMUs that it was in, one after the other. It is one text: a word that is said
 * twice, left out or garbled on the way shows in it, and so does a guest that runs twice. One thread.
 */
final class LinuxGuest {
    /** What the guest knows by heart: {@code godwit-app/src/test/guest/init}. */
    static final String KNOWN = "This line is in the guest's memory only. \n";

    private static final long MEMORY = 256L << 20;
    /** A watchdog inside the guest would bark at each pause: a processor that waits for a page stands still. */
    private static final String COMMAND_LINE = "console=ttyS0 loglevel=3 panic=-1 oops=panic nowatchdog"
            + " rcupdate.rcu_cpu_stall_suppress=1 random.trust_cpu=on";

    private static final Pattern LINE = Pattern.compile("(beat|pass) (\\d{1,9})");
    private static final long PATIENCE_SECONDS = 300;
    private static final int BETWEEN_LOOKS_MS = 50;

    private final Path folder;
    private final Path images;
    private final List<Path> consoles = new ArrayList<>();

    /** How far it has come. */
    record Progress(long beats, long passes) {}

    LinuxGuest(Path folder) {
        this.folder = folder;
        this.images = images();
        for (String name : List.of("vmlinuz", "initrd")) {
            assertThat(images.resolve(name))
                    .as("run bin/install-linux, or ./verify --linux")
                    .isNotEmptyFile();
        }
    }

    /** The same place as in {@code bin/install-linux}. */
    private static Path images() {
        String set = System.getenv("GODWIT_LINUX");
        return set != null && !set.isEmpty()
                ? Path.of(set)
                : QemuVersion.cache().resolve("linux");
    }

    /** For one end of its way; the order in which they are made is that in which the guest is there. */
    QemuProcess.Recipe recipe(QemuVersion version) {
        Path console = folder.resolve("console" + consoles.size());
        consoles.add(console);
        return QemuProcess.Recipe.of(version)
                .memory(MEMORY)
                .with("-smp", "2", "-no-reboot", "-serial", "file:" + console)
                .with("-kernel", images.resolve("vmlinuz").toString())
                .with("-initrd", images.resolve("initrd").toString())
                .with("-append", COMMAND_LINE);
    }

    String said() throws IOException {
        StringBuilder all = new StringBuilder();
        for (Path console : consoles) {
            if (Files.exists(console)) {
                all.append(Files.readString(console, StandardCharsets.ISO_8859_1));
            }
        }
        return all.toString().replace("\r", "");
    }

    /** How far it has come by what it has said until now, if that is what a sound guest says. */
    Progress sound() throws IOException {
        String said = said();
        assertThat(wrong(said)).as(said).isNull();
        return progress(said);
    }

    /** The first line that a sound guest would not have said there, or null. */
    static @Nullable String wrong(String said) {
        long beats = 0;
        long passes = 0;
        for (String line : whole(said)) {
            Matcher counted = LINE.matcher(line);
            if (line.equals("filled") && beats == 0 && passes == 0) {
                continue;
            }
            if (!counted.matches()) {
                return line;
            }
            boolean beat = counted.group(1).equals("beat");
            long number = Long.parseLong(counted.group(2));
            if (number != (beat ? beats : passes) + 1) {
                return line + ", after " + (number > 1 ? "" : "all of ") + (beat ? beats : passes);
            }
            if (beat) {
                beats++;
            } else {
                passes++;
            }
        }
        return null;
    }

    private static Progress progress(String said) {
        List<String> lines = whole(said);
        return new Progress(
                lines.stream().filter(line -> line.startsWith("beat ")).count(),
                lines.stream().filter(line -> line.startsWith("pass ")).count());
    }

    /** The last line may not be there yet. */
    private static List<String> whole(String said) {
        return said.substring(0, said.lastIndexOf('\n') + 1).lines().toList();
    }

    /** Waits, while that QEMU lives, until a sound guest has come so far. */
    Progress await(QemuProcess there, long beats, long passes) throws IOException {
        Predicate<String> far = said -> {
            Progress now = progress(said);
            return wrong(said) != null || (now.beats() >= beats && now.passes() >= passes);
        };
        await(there, far, beats + " beats and " + passes + " passes");
        return sound();
    }

    /** Waits, while that QEMU lives, until the guest says it. */
    void await(QemuProcess there, String word) throws IOException {
        await(there, said -> whole(said).contains(word), "'" + word + "'");
    }

    private void await(QemuProcess there, Predicate<String> enough, String what) throws IOException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!enough.test(said())) {
            if (there.endedWithin(BETWEEN_LOOKS_MS) >= 0) {
                throw new AssertionError("QEMU ended before " + what + ": " + there.said() + "\n" + said());
            }
            if (System.nanoTime() - until > 0) {
                throw new AssertionError("the guest does not come to " + what + ": " + said());
            }
        }
    }
}
