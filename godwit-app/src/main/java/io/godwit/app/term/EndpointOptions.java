// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import io.godwit.engine.EndpointControl;
import io.godwit.json.Json;
import io.godwit.json.JsonBool;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonString;
import io.godwit.json.JsonSyntaxException;
import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import io.godwit.qmp.EndpointCommands;
import io.godwit.qmp.QmpMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options of every command that has an endpoint: its QMP, its settings, and how it tells what happens. */
public final class EndpointOptions {
    /** Properties of an object that are on or off. */
    private static final Set<String> FLAGS = Set.of("verify-peer", "sanity-check");

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--qmp",
            paramLabel = "ADDRESS",
            description = "Serve QMP here: unix:PATH or tcp:127.0.0.1:PORT; may be given several times.")
    private List<String> qmp = List.of();

    @Option(
            names = "--set-capability",
            paramLabel = "NAME[=off]",
            description = "Switch a migration capability before anything begins.")
    private List<String> capabilities = List.of();

    @Option(
            names = "--set-parameter",
            paramLabel = "NAME=VALUE",
            description = "Set a migration parameter before anything begins.")
    private Map<String, String> parameters = Map.of();

    @Option(
            names = "--object",
            paramLabel = "TYPE,KEY=VALUE",
            description = {
                "Make what --tls-creds names: tls-creds-x509,id=ID,dir=FOLDER,endpoint=client|server[,verify-peer=off],"
                        + " where the folder has QEMU's files: ca-cert.pem, server-cert.pem, server-key.pem,"
                        + " client-cert.pem, client-key.pem. Who waits is the server, who connects the client."
            })
    private List<String> objects = List.of();

    @Option(
            names = "--tls-creds",
            paramLabel = "ID",
            description = "Speak TLS on every channel, with the certificates of that --object.")
    private @Nullable String tlsCreds;

    @Option(
            names = "--tls-hostname",
            paramLabel = "NAME",
            description =
                    "Whom the certificate of the other end has to name, if that is not the host that is connected to.")
    private @Nullable String tlsHostname;

    @Option(names = "--json", description = "Print what happens as JSON, one object a line.")
    private boolean json;

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public EndpointOptions() {}

    public boolean json() {
        return json;
    }

    public List<Address> servers() {
        return qmp.stream().map(this::address).toList();
    }

    /** A socket on the command line. */
    public Address address(String text) {
        try {
            return Address.parse(text);
        } catch (IllegalArgumentException e) {
            throw mistake(String.valueOf(e.getMessage()), e);
        }
    }

    /** Where a migration goes to or comes from, on the command line. */
    public MigrationAddress place(String text) {
        try {
            return MigrationAddress.parse(text);
        } catch (IllegalArgumentException e) {
            throw mistake(String.valueOf(e.getMessage()), e);
        }
    }

    /** The capabilities by name, and whether each shall be on. */
    public Map<String, Boolean> capabilities() {
        Map<String, Boolean> switches = new LinkedHashMap<>();
        for (String word : capabilities) {
            int equals = word.indexOf('=');
            String state = equals < 0 ? "on" : word.substring(equals + 1);
            if (!state.equals("on") && !state.equals("off")) {
                throw new ParameterException(
                        spec.commandLine(), "'" + word + "': a capability is switched NAME=on or NAME=off");
            }
            switches.put(equals < 0 ? word : word.substring(0, equals), state.equals("on"));
        }
        return switches;
    }

    /** The parameters by name, as they were given: whether they can be set is seen when they are. */
    public Map<String, Json> parameters() {
        Map<String, Json> all = new LinkedHashMap<>(values(parameters));
        if (tlsCreds != null) {
            all.put("tls-creds", Json.of(tlsCreds));
        }
        if (tlsHostname != null) {
            all.put("tls-hostname", Json.of(tlsHostname));
        }
        return all;
    }

    /** Whether this end is to speak TLS. */
    public boolean tls() {
        return parameters().get("tls-creds") instanceof JsonString id
                && !id.value().isEmpty();
    }

    /** Sets what was given; what QMP would refuse is a mistake on this command line. */
    public void configure(EndpointControl endpoint) {
        setCapabilities(endpoint);
        setParameters(endpoint);
    }

    private void setCapabilities(EndpointControl endpoint) {
        List<Json> switches = new ArrayList<>();
        capabilities()
                .forEach((name, on) -> switches.add(JsonObject.builder()
                        .put("capability", name)
                        .put("state", on)
                        .build()));
        if (!switches.isEmpty()) {
            Json all = Json.array(switches.toArray(Json[]::new));
            obey(
                    endpoint,
                    "migrate-set-capabilities",
                    JsonObject.builder().put("capabilities", all).build());
        }
    }

    /** Half of {@link #configure}: for a migration whose capabilities were agreed on long ago. */
    public void setParameters(EndpointControl endpoint) {
        for (String object : objects) {
            obey(endpoint, "object-add", object(object));
        }
        if (!parameters().isEmpty()) {
            obey(endpoint, "migrate-set-parameters", new JsonObject(parameters()));
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
                throw new ParameterException(
                        spec.commandLine(),
                        "--object " + text + ": '" + part
                                + "' is no KEY=VALUE; it begins with its type, tls-creds-x509");
            }
            String name = part.substring(0, equals);
            String value = part.substring(equals + 1);
            if (arguments.put(name, FLAGS.contains(name) ? flag(text, name, value) : Json.of(value)) != null) {
                throw new ParameterException(spec.commandLine(), "--object " + text + ": " + name + " is there twice");
            }
        }
        return new JsonObject(arguments);
    }

    private Json flag(String text, String name, String value) {
        return switch (value) {
            case "on", "yes", "true" -> JsonBool.TRUE;
            case "off", "no", "false" -> JsonBool.FALSE;
            default ->
                throw new ParameterException(
                        spec.commandLine(), "--object " + text + ": " + name + " is on or off, not '" + value + "'");
        };
    }

    /** Numbers and truth values as such, all else as words ({@code zero-page-detection=none}). */
    public static Map<String, Json> values(Map<String, String> words) {
        Map<String, Json> values = new LinkedHashMap<>();
        words.forEach((name, text) -> values.put(name, value(text)));
        return values;
    }

    private static Json value(String text) {
        try {
            return Json.parse(text);
        } catch (JsonSyntaxException e) {
            return Json.of(text);
        }
    }

    private void obey(EndpointControl endpoint, String command, JsonObject arguments) {
        QmpMessage answer =
                EndpointCommands.table(endpoint).answer(new QmpMessage.Command(command, arguments, null, false));
        if (answer instanceof QmpMessage.ErrorReply refusal) {
            throw new ParameterException(spec.commandLine(), refusal.description());
        }
    }

    private ParameterException mistake(String sentence, Throwable cause) {
        return new ParameterException(spec.commandLine(), sentence, cause);
    }
}
