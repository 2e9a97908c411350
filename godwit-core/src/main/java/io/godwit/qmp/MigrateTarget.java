// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** Where to migrate to or listen, as migrate and its kin are told: {@code uri} or {@code channels} ({@code spec/qmp.md §2}). */
final class MigrateTarget {
    private static final Set<String> TRANSPORTS = Set.of("socket", "exec", "rdma", "file");
    private static final int MAX_PORT = 65535;

    private MigrateTarget() {}

    /** From the arguments of a command that takes either of both. */
    static Address of(String command, JsonObject arguments) throws QmpError {
        boolean uri = arguments.has("uri");
        if (uri == arguments.has("channels")) {
            throw QmpError.generic(
                    "'" + command + "' needs either 'uri' or 'channels', got " + (uri ? "both" : "neither"));
        }
        return uri ? uri(arguments) : channels(arguments.array("channels"));
    }

    /** From the argument {@code uri} alone. */
    static Address uri(JsonObject arguments) throws QmpError {
        try {
            return Address.parse(arguments.string("uri"));
        } catch (IllegalArgumentException e) {
            throw QmpError.generic(String.valueOf(e.getMessage()));
        }
    }

    private static Address channels(JsonArray channels) throws QmpError {
        if (channels.size() != 1) {
            throw QmpError.generic("'channels' must have exactly one channel, of type main, got " + channels.size());
        }
        JsonObject channel = channels.object(0);
        knowOnly(channel, "a channel", List.of("channel-type", "addr"));
        String type = channel.string("channel-type");
        if (!type.equals("main")) {
            throw QmpError.generic("a channel of type '" + type + "' is not known here, only main");
        }
        return address(channel.object("addr"));
    }

    private static Address address(JsonObject addr) throws QmpError {
        String transport = addr.string("transport");
        if (!transport.equals("socket")) {
            throw QmpError.generic(
                    TRANSPORTS.contains(transport)
                            ? "the transport '" + transport + "' is not implemented; use socket"
                            : "there is no transport '" + transport + "'; use socket");
        }
        String type = addr.string("type");
        try {
            return switch (type) {
                case "inet" -> {
                    knowOnly(addr, "an inet address", List.of("transport", "type", "host", "port"));
                    yield new Address.Tcp(addr.string("host"), port(addr.string("port")));
                }
                case "unix" -> {
                    knowOnly(addr, "a unix address", List.of("transport", "type", "path"));
                    yield new Address.Unix(Path.of(addr.string("path")));
                }
                default ->
                    throw QmpError.generic("sockets of type '" + type + "' are not implemented; use inet or unix");
            };
        } catch (InvalidPathException e) {
            throw QmpError.generic("'path' is none: " + e.getReason());
        } catch (IllegalArgumentException e) {
            throw QmpError.generic(String.valueOf(e.getMessage()));
        }
    }

    private static int port(String text) throws QmpError {
        if (text.isEmpty() || text.length() > 5 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw QmpError.generic(
                    "'port' must be a number from 0 to " + MAX_PORT + " in a string, got '" + text + "'");
        }
        return Integer.parseInt(text);
    }

    /** What is not known would be silently ignored otherwise. */
    private static void knowOnly(JsonObject object, String what, List<String> members) throws QmpError {
        for (String name : object.names()) {
            if (!members.contains(name)) {
                throw QmpError.generic("the member '" + name + "' of " + what + " is not known here, only "
                        + String.join(", ", members));
            }
        }
    }

    /** An address as query-migrate shows it: QEMU's SocketAddress. */
    static Json shown(Address address) {
        return switch (address) {
            case Address.Unix unix ->
                JsonObject.builder()
                        .put("path", unix.path().toString())
                        .put("type", "unix")
                        .build();
            case Address.Tcp tcp -> {
                JsonObject.Builder inet = JsonObject.builder()
                        .put("port", Integer.toString(tcp.port()))
                        .put("host", tcp.host());
                if (tcp.host().indexOf(':') >= 0) {
                    inet.put("ipv6", true);
                } else if (tcp.host().matches("[0-9.]+")) {
                    inet.put("ipv4", true);
                }
                yield inet.put("type", "inet").build();
            }
        };
    }
}
