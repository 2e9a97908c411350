// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.engine.EndpointControl;
import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.TlsCredentials;
import io.godwit.net.TlsCredentials.Role;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** object-add and object-del, for the one type of object there is: QEMU's {@code tls-creds-x509}. */
final class ObjectCommands {
    private static final String TYPE = "tls-creds-x509";

    private final EndpointControl control;

    ObjectCommands(EndpointControl control) {
        this.control = control;
    }

    void addTo(CommandTable.Builder table) {
        table.command("object-add")
                .takes("qom-type", ArgumentType.STRING)
                .takes("id", ArgumentType.STRING)
                .mayTake("dir", ArgumentType.STRING)
                .mayTake("endpoint", ArgumentType.STRING)
                .mayTake("verify-peer", ArgumentType.BOOLEAN)
                .mayTake("sanity-check", ArgumentType.BOOLEAN)
                .mayTake("priority", ArgumentType.STRING)
                .mayTake("passwordid", ArgumentType.STRING)
                .runs(this::add);
        table.command("object-del").takes("id", ArgumentType.STRING).runs(this::delete);
    }

    private Json add(JsonObject arguments) throws QmpError {
        String type = arguments.string("qom-type");
        if (!type.equals(TYPE)) {
            throw QmpError.generic("there are no objects of type '" + type + "' here, only " + TYPE);
        }
        String id = arguments.string("id");
        if (id.isEmpty()) {
            throw QmpError.generic("'id' is empty: tls-creds names an object by it");
        }
        refuse(arguments, "priority", "which ciphers are spoken is Java's choice (jdk.tls.disabledAlgorithms)");
        refuse(arguments, "passwordid", "encrypted keys are not read: decrypt the file, and keep it to its owner");
        if (!arguments.bool("sanity-check", true)) {
            throw QmpError.generic("'sanity-check' cannot be off: certificates that cannot work are refused here");
        }
        if (!arguments.has("dir")) {
            throw QmpError.generic("'dir' is missing: the folder with ca-cert.pem and the other files");
        }
        Role role = role(arguments.string("endpoint", Role.CLIENT.word()));
        String dir = arguments.string("dir");
        try {
            TlsCredentials credentials = TlsCredentials.load(Path.of(dir), role, arguments.bool("verify-peer", true));
            control.addCredentials(id, credentials);
            return Json.object();
        } catch (InvalidPathException e) {
            throw QmpError.generic("'" + dir + "' is no folder's name: " + e.getReason());
        } catch (IOException | CommandRefused e) {
            throw QmpError.generic("object '" + id + "' cannot be made: " + e.getMessage());
        }
    }

    private Json delete(JsonObject arguments) throws QmpError {
        try {
            control.removeCredentials(arguments.string("id"));
            return Json.object();
        } catch (CommandRefused e) {
            throw QmpError.generic(String.valueOf(e.getMessage()));
        }
    }

    private static Role role(String word) throws QmpError {
        for (Role role : Role.values()) {
            if (role.word().equals(word)) {
                return role;
            }
        }
        throw QmpError.generic("'endpoint' must be client or server, got '" + word + "'");
    }

    private static void refuse(JsonObject arguments, String name, String why) throws QmpError {
        if (arguments.has(name)) {
            throw QmpError.generic("'" + name + "' is not understood: " + why);
        }
    }
}
