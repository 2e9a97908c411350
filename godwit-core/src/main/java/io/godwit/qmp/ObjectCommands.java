// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.engine.EndpointControl;
import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;

/** object-add and object-del, for the one type of object there is: QEMU's {@code tls-creds-x509}. */
final class ObjectCommands {
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
        CredentialsObject made = CredentialsObject.load(arguments);
        try {
            control.addCredentials(made.id(), made.credentials());
            return Json.object();
        } catch (CommandRefused e) {
            throw QmpError.generic(CredentialsObject.cannotBeMade(made.id(), e));
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
}
