// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The descriptors that whoever started this process handed to it: those that were open and not to be closed by an exec when {@link #note} was first called. Java opens files
 * of its own all the time, under whatever number is free, so a program that wants to be handed any calls that first of all; by then it has opened its own image and the
 * class path's archives, which an exec would hand on, too, and which are told by where they lie. Thread-safe.
 */
public final class InheritedDescriptors {
    private static final String FLAGS = "flags:";
    private static final int O_CLOEXEC = 0x80000;

    private static @Nullable Set<Integer> there;

    private InheritedDescriptors() {}

    /** Notes which there are, the first time. Standard input is one; standard output and error are not: words go there. */
    public static synchronized void note() {
        noted();
    }

    /**
     * Takes one over. It is the caller's from now on, and nobody can take it again.
     *
     * @throws SystemCallException if it was closed meanwhile
     * @throws IllegalArgumentException with a sentence, if none of that number was handed to this process, or it is taken
     */
    public static synchronized Descriptor take(int number) throws SystemCallException {
        Set<Integer> left = noted();
        if (!left.remove(number)) {
            throw new IllegalArgumentException("no descriptor " + number
                    + " was handed to this process, or it was used already; "
                    + (left.isEmpty() ? "there is none" : "there are " + left));
        }
        return Descriptor.adopt(number, "fd:" + number);
    }

    private static Set<Integer> noted() {
        Set<Integer> known = there;
        if (known == null) {
            known = new TreeSet<>(Set.of(0));
            List<Path> javas = javas();
            String[] numbers = new File("/proc/self/fd").list();
            for (String number : numbers == null ? new String[0] : numbers) {
                int fd = Integer.parseInt(number);
                if (fd > 2 && isInherited(fd) && javas.stream().noneMatch(target(fd)::startsWith)) {
                    known.add(fd);
                }
            }
            there = known;
        }
        return known;
    }

    /**
     * Whether there is one of that number which an exec would hand on. Read from the kernel's listing rather than asked with {@code fcntl}: every start does this, and linking
     * a first call into the C library takes longer than all else here.
     */
    static boolean isInherited(int fd) {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd))) {
                if (line.startsWith(FLAGS)) {
                    return (Integer.parseInt(line.substring(FLAGS.length()).strip(), 8) & O_CLOEXEC) == 0;
                }
            }
            return false;
        } catch (NoSuchFileException closed) {
            return false; // it was the listing's own
        } catch (IOException hidden) {
            // Somebody keeps that listing from us: then nobody else knows, and what was handed to us is not to be
            // refused.
            return Descriptor.isHandedOn(fd);
        }
    }

    private static Path target(int fd) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd));
        } catch (IOException closed) {
            return Path.of("");
        }
    }

    /** What Java itself reads from: taken for a migration, it would bring the process down. */
    private static List<Path> javas() {
        List<Path> places = new ArrayList<>();
        for (String property : List.of("java.home", "java.class.path", "jdk.module.path")) {
            for (String place : System.getProperty(property, "").split(File.pathSeparator, -1)) {
                if (place.isEmpty()) {
                    continue;
                }
                try {
                    places.add(Path.of(place).toRealPath());
                } catch (IOException none) {
                    // Nothing is there, so nothing of it can be open.
                }
            }
        }
        return places;
    }
}
