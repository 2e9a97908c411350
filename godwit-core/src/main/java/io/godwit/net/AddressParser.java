// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.nio.file.Path;

/** Reads migration URIs. */
final class AddressParser {
    private AddressParser() {}

    static Address parse(String uri) {
        if (uri.startsWith("unix:") && uri.length() > 5) {
            return new Address.Unix(Path.of(uri.substring(5)));
        }
        if (uri.startsWith("tcp:")) {
            int colon = uri.lastIndexOf(':');
            String host = colon > 4 ? uri.substring(4, colon) : "";
            if (host.startsWith("[") && host.endsWith("]")) {
                host = host.substring(1, host.length() - 1);
            }
            return new Address.Tcp(host, Integer.parseInt(uri.substring(colon + 1)));
        }
        throw new IllegalArgumentException(
                "'" + uri + "' is no address that godwit knows: use tcp:HOST:PORT or unix:PATH");
    }
}
