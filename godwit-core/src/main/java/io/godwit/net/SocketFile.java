// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The file of a listening unix socket.
 *
 * @param identity device and inode of the file that was made here
 */
record SocketFile(Path path, Object identity) {
    private static final int TYPE_MASK = 0170000;
    private static final int TYPE_SOCKET = 0140000;

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

    /** Binds and listens; only the owner of the process may connect. */
    static SocketFile bind(ServerSocketChannel channel, Address.Unix unix, int backlog) throws IOException {
        try {
            channel.bind(UnixDomainSocketAddress.of(unix.path()), backlog);
        } catch (IOException failed) {
            String why = "Address already in use".equals(failed.getMessage())
                    ? "somebody else was faster and listens there"
                    : Reasons.of(failed);
            throw cannot(unix, why, failed);
        }
        @Nullable Object identity = identity(unix.path());
        if (identity == null) {
            throw cannot(unix, "the socket was removed while it was made");
        }
        SocketFile file = new SocketFile(unix.path(), identity);
        try {
            Files.setPosixFilePermissions(unix.path(), PosixFilePermissions.fromString("rw-------"));
        } catch (IOException failed) {
            file.removeIfOurs();
            throw cannot(unix, "its mode cannot be set to 0600", failed);
        }
        return file;
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
