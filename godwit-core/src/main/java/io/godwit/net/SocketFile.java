// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The file of a listening unix socket.
 *
 * @param identity device and inode of the file that was made here
 */
record SocketFile(Path path, Object identity) {
    private static final int TYPE_MASK = 0170000;
    private static final int TYPE_SOCKET = 0140000;
    /** Names of four characters, so that a hidden folder's path is hardly longer than the socket's own. */
    private static final int NAMES = 36 * 36 * 36;

    private static final int ATTEMPTS = 100;

    /** Has a socket listen at a path, whose file it makes. */
    @FunctionalInterface
    interface Binder {
        void bind(Path path) throws IOException;
    }

    /**
     * Removes the file of a socket that nobody answers any more (a process that was killed leaves it).
     *
     * @throws IOException with a sentence, if the path is taken or cannot be used
     */
    static void makeWay(Address.Unix unix) throws IOException {
        Path path = unix.path();
        @Nullable Object before = identity(path);
        if (before == null) {
            checkFolder(unix);
            return;
        }
        int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        if ((mode & TYPE_MASK) != TYPE_SOCKET) {
            throw cannot(unix, "the path exists and is no socket, choose another one");
        }
        if (answers(unix)) {
            throw cannot(unix, "somebody listens there already, choose another path or end that one");
        }
        // Somebody else may have found it stale too and listen there by now: then it is another file.
        if (Objects.equals(before, identity(path))) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException failed) {
                throw cannot(
                        unix,
                        "the old socket cannot be removed (" + failed.getClass().getSimpleName() + ")",
                        failed);
            }
        }
    }

    private static void checkFolder(Address.Unix unix) throws IOException {
        @Nullable Path parent = unix.path().toAbsolutePath().getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw cannot(unix, "the folder " + parent + " does not exist");
        }
        if (!Files.isWritable(parent)) {
            throw cannot(unix, "no permission to make a socket in the folder " + parent);
        }
    }

    /** Whether a connect gets anything but a refusal. Never blocks: a full queue of a live listener is an answer. */
    private static boolean answers(Address.Unix unix) throws IOException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false);
            probe.connect(UnixDomainSocketAddress.of(unix.path()));
            return true;
        } catch (ConnectException refused) {
            return false;
        } catch (IOException other) {
            if (Reasons.isQueueFull(other)) {
                return true;
            }
            throw cannot(unix, "a socket is there and cannot be tried: " + Reasons.of(other), other);
        }
    }

    /**
     * Binds and listens; at no moment may anybody but the owner of the process connect. The kernel makes a socket's file with the mode that
     * the umask leaves, so it is made inside a folder that nobody else can enter, and appears under its own name only once its mode is right.
     */
    static SocketFile bind(Binder socket, Address.Unix unix) throws IOException {
        Path hidden = hiddenFolder(unix);
        Path made = hidden.resolve("s");
        try {
            bindInside(socket, hidden);
            Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rw-------"));
            @Nullable Object identity = identity(made);
            if (identity == null) {
                throw cannot(unix, "the socket was removed while it was made");
            }
            show(made, unix);
            return new SocketFile(unix.path(), identity);
        } catch (FileSystemException failed) {
            throw cannot(unix, "the socket cannot be made (" + failed + ")", failed);
        } finally {
            Files.deleteIfExists(made);
            Files.deleteIfExists(hidden);
        }
    }

    /** Next to the socket's place, because a link cannot leave a file system. */
    private static Path hiddenFolder(Address.Unix unix) throws IOException {
        for (int attempt = 1; ; attempt++) {
            int random = ThreadLocalRandom.current().nextInt(NAMES);
            Path folder = unix.path().resolveSibling(".g" + Integer.toString(NAMES + random, Character.MAX_RADIX));
            try {
                return Files.createDirectory(
                        folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            } catch (FileAlreadyExistsException taken) {
                if (attempt == ATTEMPTS) {
                    throw cannot(unix, "no free name for a folder next to it was found", taken);
                }
            } catch (FileSystemException failed) {
                throw cannot(unix, "no folder can be made next to it (" + failed + ")", failed);
            }
        }
    }

    /** Where the folder's path is too long for a socket's address, a link to it is not. */
    private static void bindInside(Binder socket, Path hidden) throws IOException {
        Path made = hidden.resolve("s");
        if (made.toString().getBytes(StandardCharsets.UTF_8).length <= Address.MAX_UNIX_PATH) {
            socket.bind(made);
            return;
        }
        Path shortcuts = Files.createTempDirectory("g");
        Path link = shortcuts.resolve("l");
        try {
            Files.createSymbolicLink(link, hidden.toAbsolutePath());
            socket.bind(link.resolve("s"));
        } finally {
            Files.deleteIfExists(link);
            Files.deleteIfExists(shortcuts);
        }
    }

    /** Gives the socket its name, and never takes that name from another's: a rename would. */
    private static void show(Path made, Address.Unix unix) throws IOException {
        try {
            Files.createLink(unix.path(), made);
        } catch (FileAlreadyExistsException taken) {
            throw cannot(unix, "somebody else was faster and listens there", taken);
        }
    }

    /** Call it before the socket is closed: until then no other file can get the same inode number. */
    void removeIfOurs() throws IOException {
        if (identity.equals(identity(path))) {
            Files.deleteIfExists(path);
        }
    }

    private static @Nullable Object identity(Path path) throws IOException {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey();
        } catch (NoSuchFileException none) {
            return null;
        }
    }

    private static IOException cannot(Address.Unix unix, String why) {
        return new IOException("cannot listen on " + unix + ": " + why);
    }

    private static IOException cannot(Address.Unix unix, String why, IOException cause) {
        return new IOException("cannot listen on " + unix + ": " + why, cause);
    }
}
