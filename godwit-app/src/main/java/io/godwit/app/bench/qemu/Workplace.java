// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * The folder of one bench, some GiB in the end. It is removed whatever ends the bench: by {@link #close}, when the process is told to end (then the processes that it started end with it), and,
 * where it was killed, by the next bench at the same place. What is in use is told by a lock that the system takes back from the dead, not by a process's number, which says nothing outside
 * its own container.
 */
final class Workplace implements AutoCloseable {
    private static final String PREFIX = "godwit-bench";
    private static final String LOCK = "lock";

    private final Path folder;
    private final FileChannel lock;
    private final Thread hook;

    private Workplace(Path folder, FileChannel lock) {
        this.folder = folder;
        this.lock = lock;
        this.hook = new Thread(this::endEverything, "godwit-bench-end");
    }

    /** A new one, after the dead ones' have been removed. */
    static Workplace in(Path place) throws IOException {
        removeLeftovers(place);
        Path folder = Files.createTempDirectory(place, PREFIX);
        FileChannel lock =
                FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        lock.lock();
        Workplace workplace = new Workplace(folder, lock);
        Runtime.getRuntime().addShutdownHook(workplace.hook);
        return workplace;
    }

    Path folder() {
        return folder;
    }

    private static void removeLeftovers(Path place) throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(place, PREFIX + "*")) {
            for (Path each : all) {
                if (isLeftover(each)) {
                    remove(each);
                }
            }
        }
    }

    /** It has a lock file, which is ours to write, and nobody holds it. */
    private static boolean isLeftover(Path folder) throws IOException {
        Path file = folder.resolve(LOCK);
        if (!Files.isWritable(file)) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock free = channel.tryLock()) {
            return free != null;
        } catch (OverlappingFileLockException ours) {
            return false;
        } catch (NoSuchFileException gone) {
            return false; // another bench was faster
        }
    }

    /** The process ends, maybe in the middle of a measurement. */
    private void endEverything() {
        ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
        try {
            remove(folder);
        } catch (IOException e) {
            // A process that was still ending wrote another file; the next bench finds the folder, and nobody holds its
            // lock.
            System.err.println("godwit: " + folder + " could not be removed: " + e.getMessage());
        }
    }

    /** Removes a file, or a folder with all that is in it. */
    static void remove(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        try (Stream<Path> all = Files.walk(root)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    @Override
    public void close() throws IOException {
        try (lock) {
            Runtime.getRuntime().removeShutdownHook(hook);
            remove(folder);
        } catch (IllegalStateException ending) {
            // The hook runs already and does the same.
        }
    }
}
