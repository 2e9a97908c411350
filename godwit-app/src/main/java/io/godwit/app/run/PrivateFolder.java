// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.run;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A folder for the sockets of several processes that end together. Each of them makes it if it isn't there, and each removes it when the parent is gone; so it needs nobody
 * who outlives the others, and a parent that is killed before its first child is there leaves nothing.
 */
record PrivateFolder(Path path) {
    private static final String MODE = "rwx------";

    /** @throws IOException with a sentence, if it cannot be made or is somebody else's */
    static PrivateFolder make(Path path) throws IOException {
        try {
            Files.createDirectory(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(MODE)));
        } catch (FileAlreadyExistsException e) {
            PosixFileAttributes there =
                    Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!there.isDirectory()
                    || !PosixFilePermissions.toString(there.permissions()).equals(MODE)) {
                throw new IOException(path + " is there and is no folder that only its owner may use", e);
            }
        } catch (IOException e) {
            throw new IOException("cannot make the folder " + path + ": " + e, e);
        }
        return new PrivateFolder(path);
    }

    /** Removes the sockets in it and the folder; anything else in it stays, and the folder then too. */
    void remove() throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
            for (Path file : files) {
                removeSocket(file);
            }
            Files.deleteIfExists(path);
        } catch (NoSuchFileException | DirectoryNotEmptyException e) {
            // Somebody else removes it at the same time, or it holds what is not ours: both are as they should be.
            return;
        }
    }

    private static void removeSocket(Path file) throws IOException {
        try {
            BasicFileAttributes what = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (what.isOther()) {
                Files.deleteIfExists(file);
            }
        } catch (NoSuchFileException e) {
            // Its owner was faster.
            return;
        }
    }
}
