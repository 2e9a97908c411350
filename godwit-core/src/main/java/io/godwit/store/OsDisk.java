// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** The operating system's file systems, through file channels: plain positioned system calls. A thread that uses it must not be interrupted, which would close the file. */
public final class OsDisk implements Disk {
    /**
     * Lock files that this JVM holds. POSIX gives up a process's lock when the process closes <em>any</em> handle of that file, so a second try from inside must not
     * even open it.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    /** With less room than this a failed write is taken for a full disk, whatever the system's words are. */
    private static final long NO_ROOM = 64 << 10;

    public OsDisk() {}

    @Override
    public DiskFile openForReading(Path file) throws DiskException {
        try {
            return new OsFile(FileChannel.open(file, StandardOpenOption.READ), file);
        } catch (IOException e) {
            throw explain("cannot open " + file, file, e);
        }
    }

    @Override
    public DiskFile openForWriting(Path file) throws DiskException {
        try {
            return new OsFile(
                    FileChannel.open(
                            file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE),
                    file);
        } catch (IOException e) {
            throw explain("cannot open " + file + " for writing", file, e);
        }
    }

    @Override
    public void rename(Path from, Path to) throws DiskException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw explain("cannot rename " + from + " to " + to, from, e);
        }
    }

    @Override
    public void syncFolder(Path folder) throws DiskException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            throw new DiskException(
                    DiskException.Kind.SYNC, "cannot make the names in " + folder + " durable: " + reason(e), e);
        }
    }

    @Override
    public boolean maySync(Path folder) {
        return Files.isReadable(folder);
    }

    @Override
    public void createFolder(Path folder) throws DiskException {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw explain("cannot create folder " + folder, folder, e);
        }
    }

    @Override
    public List<String> list(Path folder) throws DiskException {
        try (Stream<Path> names = Files.list(folder)) {
            return names.map(name -> name.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw explain("cannot list folder " + folder, folder, e);
        }
    }

    @Override
    public boolean exists(Path path) {
        return Files.exists(path);
    }

    @Override
    public boolean isFolder(Path path) {
        return Files.isDirectory(path);
    }

    @Override
    public void delete(Path path) throws DiskException {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw explain("cannot delete " + path, path, e);
        }
    }

    @Override
    public DiskLock lock(Path file) throws DiskException {
        Path key;
        try {
            Path folder = file.toAbsolutePath().getParent();
            key = (folder == null ? file : folder.toRealPath()).resolve(file.getFileName());
        } catch (IOException e) {
            throw explain("cannot lock " + file, file, e);
        }
        if (!HELD.add(key)) {
            throw new DiskException(DiskException.Kind.LOCKED, "this process holds " + file + " already");
        }
        boolean held = false;
        try {
            DiskLock lock = lock(file, key);
            held = true;
            return lock;
        } finally {
            if (!held) {
                HELD.remove(key);
            }
        }
    }

    private static DiskLock lock(Path file, Path key) throws DiskException {
        FileChannel channel;
        try {
            channel = FileChannel.open(
                    file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
        } catch (IOException e) {
            throw explain("cannot open lock file " + file, file, e);
        }
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                byte[] owner = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
                channel.truncate(0);
                channel.write(ByteBuffer.wrap(owner), 0);
                return () -> release(channel, file, key);
            }
            ByteBuffer owner = ByteBuffer.allocate(32);
            channel.read(owner, 0);
            String pid = new String(owner.array(), 0, owner.position(), StandardCharsets.US_ASCII).strip();
            channel.close();
            throw new DiskException(
                    DiskException.Kind.LOCKED, "process " + (pid.isEmpty() ? "?" : pid) + " holds " + file);
        } catch (OverlappingFileLockException e) {
            throw new DiskException(DiskException.Kind.LOCKED, "this process holds " + file + " already", e);
        } catch (DiskException e) {
            throw e;
        } catch (IOException e) {
            DiskException failure = explain("cannot lock " + file, file, e);
            try {
                channel.close();
            } catch (IOException closing) {
                failure.addSuppressed(closing);
            }
            throw failure;
        }
    }

    private static void release(FileChannel channel, Path file, Path key) throws DiskException {
        try {
            channel.close();
        } catch (IOException e) {
            throw explain("cannot unlock " + file, file, e);
        } finally {
            HELD.remove(key);
        }
    }

    /** Java gives no error number, so the kind is found by the exception's type, the file system's state, and its words last. */
    static DiskException explain(String what, Path path, IOException e) {
        return new DiskException(kind(path, e), what + ": " + reason(e), e);
    }

    private static DiskException.Kind kind(Path path, IOException e) {
        String words = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        if (e instanceof NoSuchFileException) {
            return DiskException.Kind.MISSING;
        }
        if (e instanceof AccessDeniedException) {
            return DiskException.Kind.DENIED;
        }
        if (words.contains("no space left") || words.contains("quota")) {
            return DiskException.Kind.FULL;
        }
        if (words.contains("read-only")) {
            return DiskException.Kind.READ_ONLY;
        }
        Path folder = path.toAbsolutePath().getParent();
        try {
            var system = Files.getFileStore(folder == null ? path : folder);
            if (system.isReadOnly()) {
                return DiskException.Kind.READ_ONLY;
            }
            return system.getUsableSpace() < NO_ROOM ? DiskException.Kind.FULL : DiskException.Kind.BROKEN;
        } catch (NoSuchFileException gone) {
            return DiskException.Kind.MISSING;
        } catch (IOException unknown) {
            e.addSuppressed(unknown);
            return DiskException.Kind.BROKEN;
        }
    }

    private static String reason(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "it does not exist";
        }
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (e instanceof FileSystemException fs && fs.getReason() != null) {
            return String.valueOf(fs.getReason());
        }
        return String.valueOf(e.getMessage());
    }
}
