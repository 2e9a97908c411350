// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A socket that is connected to or listened on.
 *
 * <p>The records check themselves, so an address built from parts (the {@code channels} form of QMP) is held to the
 * same limits as one that was parsed. Their text form parses back to an equal address.
 */
public sealed interface Address extends MigrationAddress {

    /** The longest path of a unix socket in bytes: the kernel's {@code sun_path} has room for 108 with the closing 0, and the JDK gives one of them away. */
    int MAX_UNIX_PATH = 106;

    /**
     * {@code tcp:HOST:PORT}; an IPv6 host stands in brackets in the text form.
     *
     * @param host a name or a literal address without brackets; empty means all interfaces when listening, this host
     *     when connecting
     * @param port 0 to 65535; 0 lets the system choose when listening and cannot be connected to
     */
    record Tcp(String host, int port) implements Address {
        /** @throws IllegalArgumentException with a sentence that names what is wrong */
        public Tcp {
            if (port < 0 || port > 65535) {
                throw new IllegalArgumentException("port " + port + " is out of range: use 0 to 65535");
            }
            if (host.chars().anyMatch(c -> c <= ' ' || c == '[' || c == ']' || c == ',')) {
                throw new IllegalArgumentException("'" + host + "' is no host name or address");
            }
        }

        @Override
        public String toString() {
            return "tcp:" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /**
     * {@code unix:PATH}.
     *
     * @param path of the socket, at most {@value #MAX_UNIX_PATH} bytes
     */
    record Unix(Path path) implements Address {
        /** @throws IllegalArgumentException with a sentence that names what is wrong */
        public Unix {
            int length = path.toString().getBytes(StandardCharsets.UTF_8).length;
            if (length == 0) {
                throw new IllegalArgumentException("a unix socket needs a path: unix:PATH");
            }
            if (length > MAX_UNIX_PATH) {
                throw new IllegalArgumentException(
                        "the socket path '%s' has %d bytes, the system allows %d: use a shorter one"
                                .formatted(path, length, MAX_UNIX_PATH));
            }
            AddressParser.requireNoOption(path.toString());
        }

        @Override
        public String toString() {
            return "unix:" + path;
        }
    }

    /**
     * Parses the URI form of a socket.
     *
     * @throws IllegalArgumentException with a sentence that names what is wrong and the forms that are understood
     */
    static Address parse(String uri) {
        return AddressParser.socket(uri);
    }
}
