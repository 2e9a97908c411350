// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import io.godwit.engine.EndpointControl;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonString;
import io.godwit.json.JsonSyntaxException;
import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import io.godwit.net.TlsCredentials;
import io.godwit.qmp.EndpointCommands;
import io.godwit.qmp.QmpAccess;
import io.godwit.qmp.QmpMessage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options of every command that has an endpoint: its QMP, its settings, and how it tells what happens. */
public final class EndpointOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--qmp",
            paramLabel = "ADDRESS",
            description = "Serve QMP here: unix:PATH or tcp:HOST:PORT; may be given several times.")
    private List<String> qmp = List.of();

    @Option(
            names = "--qmp-tls-creds",
            paramLabel = "ID",
            description =
                    "Serve QMP over tcp with TLS, with the certificates of that --object (endpoint=server). Without, and with"
                            + " verify-peer=off, it is served on this host's loopback only.")
    private @Nullable String qmpTlsCreds;

    @Option(
            names = "--unsafe-qmp",
            description = "Serve QMP also where anybody who reaches the address may do everything.")
    private boolean unsafeQmp;

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

    @Mixin
    private CredentialsOptions objects = new CredentialsOptions();

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

    /** Where QMP is to be served, and for whom. */
    public List<QmpAccess> servers() {
        TlsCredentials credentials = qmpTlsCreds == null ? null : objects.named(qmpTlsCreds, "--qmp-tls-creds");
        List<QmpAccess> all = new ArrayList<>();
        for (String text : qmp) {
            Address address = address(text);
            try {
                all.add(new QmpAccess(address, address instanceof Address.Tcp ? credentials : null, unsafeQmp));
            } catch (IllegalArgumentException e) {
                throw mistake("--qmp-tls-creds: " + e.getMessage(), e);
            }
        }
        if (credentials != null && all.stream().allMatch(access -> access.credentials() == null)) {
            throw new ParameterException(
                    spec.commandLine(), "--qmp-tls-creds is for a --qmp over tcp (tcp:HOST:PORT), and there is none");
        }
        return all;
    }

    /** The certificates that there are. */
    public CredentialsOptions objects() {
        return objects;
    }

    /** A socket on the command line. */
    public Address address(String text) {
        try {
            return Address.parse(text);
        } catch (IllegalArgumentException e) {
            throw mistake(String.valueOf(e.getMessage()), e);
        }
    }

    /** A VM's folder: a variable that is not set gives an empty name, which would be the working folder. */
    public void requireName(Path folder, String what) {
        if (folder.toString().isEmpty()) {
            throw new ParameterException(spec.commandLine(), what + " is empty: name the VM's folder");
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
        for (JsonObject object : objects.all()) {
            obey(endpoint, "object-add", object);
        }
        if (!parameters().isEmpty()) {
            obey(endpoint, "migrate-set-parameters", new JsonObject(parameters()));
        }
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
