// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Where to migrate to or listen, as migrate and its kin are told: {@code uri} or {@code channels} ({@code spec/qmp.md §2}). */
final class MigrateTarget {
    private static final String TRANSPORTS = "use socket, exec or file";
    private static final String FD = "fd:";
    private static final int MAX_PORT = 65535;

    private MigrateTarget() {}

    /** From the arguments of a command that takes either of both. */
    static MigrationAddress of(String command, JsonObject arguments, ClientDescriptors descriptors) throws QmpError {
        boolean uri = arguments.has("uri");
        if (uri == arguments.has("channels")) {
            throw QmpError.generic(
                    "'" + command + "' needs either 'uri' or 'channels', got " + (uri ? "both" : "neither"));
        }
        return uri ? uri(arguments, descriptors) : channels(arguments.array("channels"), descriptors);
    }

    /** From the argument {@code uri} alone. */
    static MigrationAddress uri(JsonObject arguments, ClientDescriptors descriptors) throws QmpError {
        return parse(arguments.string("uri"), descriptors);
    }

    /** What begins with a digit is a number, as in QEMU. */
    private static MigrationAddress parse(String uri, ClientDescriptors descriptors) throws QmpError {
        if (uri.startsWith(FD) && uri.length() > FD.length() && !Character.isDigit(uri.charAt(FD.length()))) {
            String name = uri.substring(FD.length());
            return new MigrationAddress.Handed(name, descriptors.find(name));
        }
        try {
            return MigrationAddress.parse(uri);
        } catch (IllegalArgumentException e) {
            throw QmpError.generic(String.valueOf(e.getMessage()));
        }
    }

    private static MigrationAddress channels(JsonArray channels, ClientDescriptors descriptors) throws QmpError {
        if (channels.size() != 1) {
            throw QmpError.generic("'channels' must have exactly one channel, of type main, got " + channels.size());
        }
        JsonObject channel = channels.object(0);
        knowOnly(channel, "a channel", List.of("channel-type", "addr"));
        String type = channel.string("channel-type");
        if (!type.equals("main")) {
            throw QmpError.generic("a channel of type '" + type + "' is not known here, only main");
        }
        return address(channel.object("addr"), descriptors);
    }

    private static MigrationAddress address(JsonObject addr, ClientDescriptors descriptors) throws QmpError {
        String transport = addr.string("transport");
        try {
            return switch (transport) {
                case "socket" -> socket(addr, descriptors);
                case "exec" -> {
                    knowOnly(addr, "an exec address", List.of("transport", "args"));
                    yield exec(addr.array("args"));
                }
                case "file" -> {
                    knowOnly(addr, "a file address", List.of("transport", "filename", "offset"));
                    yield new MigrationAddress.FileRange(Path.of(addr.string("filename")), addr.int64("offset"));
                }
                case "rdma" -> throw QmpError.generic("the transport 'rdma' is not implemented; " + TRANSPORTS);
                default -> throw QmpError.generic("there is no transport '" + transport + "'; " + TRANSPORTS);
            };
        } catch (InvalidPathException e) {
            throw QmpError.generic("the path is none: " + e.getReason());
        } catch (IllegalArgumentException e) {
            throw QmpError.generic(String.valueOf(e.getMessage()));
        }
    }

    private static MigrationAddress exec(JsonArray args) {
        List<String> command = new ArrayList<>();
        for (int i = 0; i < args.size(); i++) {
            command.add(args.string(i));
        }
        return new MigrationAddress.Exec(command);
    }

    private static MigrationAddress socket(JsonObject addr, ClientDescriptors descriptors) throws QmpError {
        String type = addr.string("type");
        return switch (type) {
            case "inet" -> {
                knowOnly(addr, "an inet address", List.of("transport", "type", "host", "port"));
                yield new Address.Tcp(addr.string("host"), port(addr.string("port")));
            }
            case "unix" -> {
                knowOnly(addr, "a unix address", List.of("transport", "type", "path"));
                yield new Address.Unix(Path.of(addr.string("path")));
            }
            case "fd" -> {
                knowOnly(addr, "an fd address", List.of("transport", "type", "str"));
                yield parse(FD + addr.string("str"), descriptors);
            }
            default ->
                throw QmpError.generic("sockets of type '" + type + "' are not implemented; use inet, unix or fd");
        };
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
