// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** Reads migration URIs ({@code spec/qmp.md}). */
final class AddressParser {
    private static final String SOCKETS = "use tcp:HOST:PORT or unix:PATH";
    private static final String FORMS = "use tcp:HOST:PORT, unix:PATH, exec:COMMAND, file:PATH or fd:NUMBER";

    /** Transports of the field that are known by name and not spoken. */
    private static final List<String> NOT_YET = List.of("vsock", "rdma");

    /** {@code ,server=on} or {@code ,nowait} at the end of a path: options of a character device, not of a migration URI. */
    private static final Pattern OPTION = Pattern.compile(",([a-z][a-z0-9-]*=[^/,]*|server|nowait|reuseaddr|fork)$");

    private static final String OFFSET = ",offset=";

    private AddressParser() {}

    /** A socket's address and nothing else. */
    static Address socket(String uri) {
        return switch (parse(uri)) {
            case Address socket -> socket;
            case MigrationAddress.Local _ ->
                throw bad(uri, "a migration can go there, but here a socket is wanted: " + SOCKETS);
        };
    }

    static MigrationAddress parse(String uri) {
        int colon = uri.indexOf(':');
        if (colon < 0) {
            throw bad(uri, "names no transport: " + FORMS);
        }
        String transport = uri.substring(0, colon);
        String rest = uri.substring(colon + 1);
        try {
            return switch (transport) {
                case "unix" -> unix(rest);
                case "tcp" -> tcp(rest);
                case "exec" -> MigrationAddress.Exec.shell(rest);
                case "file" -> file(rest);
                case "fd" -> inherited(rest);
                default ->
                    throw new IllegalArgumentException((NOT_YET.contains(transport)
                                    ? "the transport " + transport + " is not spoken yet: "
                                    : "unknown transport '" + transport + "': ")
                            + FORMS);
            };
        } catch (IllegalArgumentException wrong) {
            throw bad(uri, String.valueOf(wrong.getMessage()));
        }
    }

    /** An offset is the last option, and the only one; a path may hold commas. */
    private static MigrationAddress file(String text) {
        int option = text.lastIndexOf(OFFSET);
        String path = option < 0 ? text : text.substring(0, option);
        try {
            return new MigrationAddress.FileRange(
                    Path.of(path), option < 0 ? 0 : offset(text.substring(option + OFFSET.length())));
        } catch (InvalidPathException invalid) {
            throw new IllegalArgumentException("the path is not valid here: " + invalid.getReason(), invalid);
        }
    }

    private static long offset(String digits) {
        try {
            return Long.decode(digits);
        } catch (NumberFormatException wrong) {
            throw new IllegalArgumentException("'" + digits + "' is no offset: use a number of bytes", wrong);
        }
    }

    private static MigrationAddress inherited(String text) {
        if (text.isEmpty() || text.length() > 9 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new IllegalArgumentException(
                    "'" + text
                            + "' is no number, and a name is known only to the QMP connection that gave it (getfd): give the number of a descriptor that this process was started with");
        }
        return new MigrationAddress.Inherited(Integer.parseInt(text));
    }

    /** @throws IllegalArgumentException if a path ends as an option does, in whatever form it was given */
    static void requireNoOption(String path) {
        var option = OPTION.matcher(path);
        if (option.find()) {
            throw new IllegalArgumentException("'" + option.group().substring(1)
                    + "' is an option, and a unix address is a path and nothing else: leave it out");
        }
    }

    private static Address unix(String text) {
        try {
            return new Address.Unix(Path.of(text));
        } catch (InvalidPathException invalid) {
            throw new IllegalArgumentException("the path is not valid here: " + invalid.getReason(), invalid);
        }
    }

    private static Address tcp(String text) {
        int split = text.lastIndexOf(':');
        if (split < 0) {
            throw new IllegalArgumentException("the port is missing: use tcp:HOST:PORT");
        }
        String host = text.substring(0, split);
        if (host.startsWith("[") && host.endsWith("]") && host.length() > 2) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw new IllegalArgumentException("an IPv6 address stands in brackets, as in tcp:[::1]:4444");
        }
        return new Address.Tcp(host, port(text.substring(split + 1)));
    }

    private static int port(String digits) {
        int comma = digits.indexOf(',');
        if (comma >= 0) {
            throw new IllegalArgumentException("'" + digits.substring(comma + 1)
                    + "' after the port is not understood: an address is tcp:HOST:PORT and nothing else");
        }
        if (digits.isEmpty() || digits.length() > 5 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new IllegalArgumentException("'" + digits + "' is no port: use a number from 0 to 65535");
        }
        return Integer.parseInt(digits);
    }

    private static IllegalArgumentException bad(String uri, String what) {
        return new IllegalArgumentException("address '" + uri + "': " + what);
    }
}
