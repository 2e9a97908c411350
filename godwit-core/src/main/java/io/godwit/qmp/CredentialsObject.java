// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.JsonObject;
import io.godwit.net.TlsCredentials;
import io.godwit.net.TlsCredentials.Role;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * QEMU's {@code tls-creds-x509}, the one type of object there is, from the arguments of {@code object-add}.
 *
 * @param id by which {@code tls-creds} and the like name it
 */
public record CredentialsObject(String id, TlsCredentials credentials) {
    private static final String TYPE = "tls-creds-x509";

    /**
     * Reads and checks the folder. Blocks on the disk.
     *
     * @throws QmpError with a sentence: which argument or file, and what is wrong with it
     */
    public static CredentialsObject load(JsonObject arguments) throws QmpError {
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
            return new CredentialsObject(
                    id, TlsCredentials.load(Path.of(dir), role, arguments.bool("verify-peer", true)));
        } catch (InvalidPathException e) {
            throw QmpError.generic("'" + dir + "' is no folder's name: " + e.getReason());
        } catch (IOException e) {
            throw QmpError.generic(cannotBeMade(id, e));
        }
    }

    static String cannotBeMade(String id, Exception why) {
        return "object '" + id + "' cannot be made: " + why.getMessage();
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
