// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import io.godwit.json.Json;
import io.godwit.json.JsonBool;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.TlsClient;
import io.godwit.net.TlsCredentials;
import io.godwit.qmp.CredentialsObject;
import io.godwit.qmp.QmpError;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code --object}: certificates that other options name. */
public final class CredentialsOptions {
    /** Properties of an object that are on or off. */
    private static final Set<String> FLAGS = Set.of("verify-peer", "sanity-check");

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--object",
            paramLabel = "TYPE,KEY=VALUE",
            description = {
                "Make what --tls-creds and its like name:"
                        + " tls-creds-x509,id=ID,dir=FOLDER,endpoint=client|server[,verify-peer=off],"
                        + " where the folder has QEMU's files: ca-cert.pem, server-cert.pem, server-key.pem,"
                        + " client-cert.pem, client-key.pem. Who waits is the server, who connects the client."
            })
    private List<String> objects = List.of();

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public CredentialsOptions() {}

    /** Refuses certificates that no option names: whoever gave them means to speak TLS. */
    public void requireUsed(boolean used, String option) {
        if (!used && !objects.isEmpty()) {
            throw mistake("--object is of no use without " + option + ", which names it");
        }
    }

    /** The arguments of an {@code object-add} for each. */
    List<JsonObject> all() {
        return objects.stream().map(this::object).toList();
    }

    /**
     * The certificates that an option names.
     *
     * @param option for messages
     */
    TlsCredentials named(String id, String option) {
        for (JsonObject arguments : all()) {
            if (Json.of(id).equals(arguments.get("id"))) {
                try {
                    return CredentialsObject.load(arguments).credentials();
                } catch (QmpError e) {
                    throw mistake(String.valueOf(e.getMessage()));
                }
            }
        }
        throw mistake(option + " names '" + id + "', and there is no such --object");
    }

    /**
     * How TLS is spoken to a server; null: not at all.
     *
     * @param option for messages
     * @param hostname whom its certificate has to name; null: the host that is connected to
     */
    public @Nullable TlsClient client(Address to, @Nullable String id, @Nullable String hostname, String option) {
        if (id == null) {
            if (hostname != null) {
                throw mistake("a host name for a certificate is of no use without " + option);
            }
            return null;
        }
        if (!(to instanceof Address.Tcp tcp)) {
            throw mistake(option + ": QMP speaks TLS over tcp only, and " + to + " is a file");
        }
        try {
            String host = tcp.host().isEmpty() ? "localhost" : tcp.host();
            return new TlsClient(named(id, option), hostname == null ? host : hostname);
        } catch (IllegalArgumentException e) {
            throw mistake(option + ": " + e.getMessage());
        }
    }

    /** QEMU's {@code -object}: a type, then properties; two commas stand for one. */
    private JsonObject object(String text) {
        Map<String, Json> arguments = new LinkedHashMap<>();
        // A comma that stands for itself cannot be in what is split by one.
        for (String word : text.replace(",,", "\0").split(",", -1)) {
            String part = word.replace('\0', ',');
            int equals = part.indexOf('=');
            if (arguments.isEmpty() && equals < 0) {
                arguments.put("qom-type", Json.of(part));
                continue;
            }
            if (equals <= 0) {
                throw mistake("--object " + text + ": '" + part
                        + "' is no KEY=VALUE; it begins with its type, tls-creds-x509");
            }
            String name = part.substring(0, equals);
            String value = part.substring(equals + 1);
            if (arguments.put(name, FLAGS.contains(name) ? flag(text, name, value) : Json.of(value)) != null) {
                throw mistake("--object " + text + ": " + name + " is there twice");
            }
        }
        for (String needed : List.of("qom-type", "id")) {
            if (!arguments.containsKey(needed)) {
                throw mistake("--object " + text + ": it has no " + (needed.equals("id") ? "id=ID" : "type")
                        + "; say tls-creds-x509,id=ID,dir=FOLDER,endpoint=client|server");
            }
        }
        return new JsonObject(arguments);
    }

    private Json flag(String text, String name, String value) {
        return switch (value) {
            case "on", "yes", "true" -> JsonBool.TRUE;
            case "off", "no", "false" -> JsonBool.FALSE;
            default -> throw mistake("--object " + text + ": " + name + " is on or off, not '" + value + "'");
        };
    }

    private ParameterException mistake(String sentence) {
        return new ParameterException(spec.commandLine(), sentence);
    }
}
