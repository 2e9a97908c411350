// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.nio.file.Path;
import java.util.List;

/**
 * Where a migration goes to or comes from, by QEMU's word for it: a socket's {@link Address}, or something of this host's own, which nobody connects to. The records check
 * themselves. The text form of all but a {@link Handed} and an {@link Exec} that is no shell's parses back to an equal address.
 */
public sealed interface MigrationAddress permits Address, MigrationAddress.Local {

    /** Something that is opened here and carries one stream; it takes neither a second channel nor a second migration. */
    sealed interface Local extends MigrationAddress permits Exec, FileRange, Inherited, Handed {}

    /**
     * {@code exec:COMMAND}: a program whose standard input takes the stream, or whose standard output gives it. What it says in the other direction is the return path.
     *
     * @param command the program and its arguments
     */
    record Exec(List<String> command) implements Local {
        private static final List<String> SHELL = List.of("/bin/sh", "-c");

        /** @throws IllegalArgumentException with a sentence that names what is wrong */
        public Exec {
            command = List.copyOf(command);
            if (command.isEmpty() || command.getFirst().isEmpty()) {
                throw new IllegalArgumentException("a command is missing: exec:COMMAND");
            }
            if (command.stream().anyMatch(word -> word.indexOf('\0') >= 0)) {
                throw new IllegalArgumentException("a command cannot hold a zero byte");
            }
        }

        /** What the shell does with that text, as in QEMU. */
        static Exec shell(String text) {
            if (text.isBlank()) {
                throw new IllegalArgumentException("a command is missing: exec:COMMAND");
            }
            return new Exec(List.of(SHELL.get(0), SHELL.get(1), text));
        }

        @Override
        public String toString() {
            boolean shell = command.size() == SHELL.size() + 1
                    && command.subList(0, SHELL.size()).equals(SHELL);
            return "exec:" + (shell ? command.getLast() : String.join(" ", command));
        }
    }

    /**
     * {@code file:PATH} or {@code file:PATH,offset=N}: a regular file; what is before the offset stays as it is ({@code spec/mapped-ram.md}).
     *
     * @param offset in bytes, not negative
     */
    record FileRange(Path path, long offset) implements Local {
        /** @throws IllegalArgumentException with a sentence that names what is wrong */
        public FileRange {
            if (path.toString().isEmpty()) {
                throw new IllegalArgumentException("a file needs a path: file:PATH");
            }
            if (offset < 0) {
                throw new IllegalArgumentException("the offset " + offset + " is negative");
            }
        }

        @Override
        public String toString() {
            return "file:" + path + (offset == 0 ? "" : ",offset=" + offset);
        }
    }

    /**
     * {@code fd:NUMBER}: a descriptor that this process was started with.
     *
     * @param number not negative, and neither standard output nor error
     */
    record Inherited(int number) implements Local {
        /** @throws IllegalArgumentException with a sentence that names what is wrong */
        public Inherited {
            if (number < 0 || number == 1 || number == 2) {
                throw new IllegalArgumentException("the descriptor " + number
                        + " cannot be used: words are printed to 1 and 2, so hand over another, as in 3<FILE");
            }
        }

        @Override
        public String toString() {
            return "fd:" + number;
        }
    }

    /**
     * {@code fd:NAME}: a descriptor that was handed to this process, by that name ({@code getfd}). Whoever opens the address uses it up. It has no meaning as text.
     *
     * @param name does not begin with a digit
     */
    record Handed(String name, HandedDescriptor descriptor) implements Local {
        @Override
        public String toString() {
            return "fd:" + name;
        }
    }

    /**
     * Parses the URI form.
     *
     * @throws IllegalArgumentException with a sentence that names what is wrong and the forms that are understood
     */
    static MigrationAddress parse(String uri) {
        return AddressParser.parse(uri);
    }
}
