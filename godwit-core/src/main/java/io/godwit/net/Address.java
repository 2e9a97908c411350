// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.nio.file.Path;

/** Where a channel is connected to or listened for. */
public sealed interface Address {
    /** {@code tcp:HOST:PORT}; an IPv6 host stands in brackets in the text form; port 0 lets the system choose (listening only). */
    record Tcp(String host, int port) implements Address {
        @Override
        public String toString() {
            return "tcp:" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /** {@code unix:PATH}. */
    record Unix(Path path) implements Address {
        @Override
        public String toString() {
            return "unix:" + path;
        }
    }

    /**
     * Parses the URI form.
     *
     * @throws IllegalArgumentException with a sentence that names what is wrong and the forms that are understood
     */
    static Address parse(String uri) {
        return AddressParser.parse(uri);
    }
}
