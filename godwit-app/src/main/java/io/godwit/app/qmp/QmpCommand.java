// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.qmp;

import io.godwit.app.term.CredentialsOptions;
import io.godwit.app.term.ExitCodes;
import io.godwit.json.Json;
import io.godwit.json.JsonFormat;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.TlsClient;
import io.godwit.qmp.QmpClient;
import io.godwit.qmp.QmpDisconnected;
import io.godwit.qmp.QmpError;
import io.godwit.qmp.QmpEvents;
import io.godwit.qmp.QmpException;
import io.godwit.qmp.QmpMessage;
import io.godwit.qmp.QmpTimeout;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code godwit qmp}: one command to a QMP server, and the events that follow. */
@Command(
        name = "qmp",
        mixinStandardHelpOptions = true,
        customSynopsis = {
            "godwit qmp [--json] [--oob] [--timeout=SECONDS] [--wait=EVENT[:STATUS]]",
            "           [--events] [--object=TYPE,KEY=VALUE --tls-creds=ID]",
            "           [--tls-hostname=NAME] ADDRESS [COMMAND [ARGUMENT...]]"
        },
        sortOptions = false,
        description = {
            "Sends a command to a QEMU or a Godwit and prints its answer.",
            "The address is unix:PATH or tcp:HOST:PORT."
        },
        footer = {
            "",
            "Arguments are NAME=VALUE (true, false and whole numbers are those, all else is a string), NAME:=JSON, or one"
                    + " JSON object. MIGRATION events come only while the capability 'events' is on.",
            "",
            "Exit codes: 0 done, 1 refused or not in time, 2 wrong usage, 69 nobody there.",
            "",
            "Examples:",
            "  godwit qmp unix:/tmp/src.qmp query-migrate",
            "  godwit qmp unix:/tmp/src.qmp migrate-set-parameters max-bandwidth=0",
            "  godwit qmp unix:/tmp/src.qmp migrate-set-capabilities \\",
            "      capabilities:='[{\"capability\":\"events\",\"state\":true}]'",
            "  godwit qmp unix:/tmp/src.qmp --wait MIGRATION:completed --timeout 60 \\",
            "      migrate uri=tcp:host:4444",
            "  godwit qmp unix:/tmp/dst.qmp --oob migrate-recover uri=unix:/tmp/new.sock",
            "  godwit qmp tcp:127.0.0.1:4445 --events",
            "  godwit qmp --object tls-creds-x509,id=tls0,dir=/etc/pki/godwit,endpoint=client \\",
            "      --tls-creds tls0 tcp:host1:4445 query-migrate"
        })
public final class QmpCommand implements Callable<Integer> {
    private static final Duration ANSWER = Duration.ofSeconds(10);
    /** As good as for ever, and still a number of nanoseconds. */
    private static final Duration YEARS = Duration.ofDays(10_000);

    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss.SSS");
    private static final int NANOS_PER_MICRO = 1000;

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "ADDRESS", description = "Where the server listens.")
    private String address;

    @Parameters(
            index = "1..*",
            paramLabel = "COMMAND ARGUMENT",
            hideParamSyntax = true,
            arity = "0..*",
            description = "What is asked of it.")
    private @Nullable List<String> words;

    @Option(names = "--json", description = "Print answers, errors and events as JSON on one line each.")
    private boolean json;

    @Option(names = "--oob", description = "Send the command out-of-band: it overtakes those that wait.")
    private boolean oob;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "Give up after so long (without: 10 for an answer, never for events).")
    private @Nullable Double timeout;

    @Option(
            names = "--wait",
            paramLabel = "EVENT[:STATUS]",
            description = "End once this event has come, since the command was sent.")
    private @Nullable String wait;

    @Option(names = "--events", description = "Print events as they come, until --wait is met or Ctrl-C.")
    private boolean events;

    @Mixin
    private CredentialsOptions objects = new CredentialsOptions();

    @Option(
            names = "--tls-creds",
            paramLabel = "ID",
            description = "Speak TLS, with the certificates of that --object (endpoint=client).")
    private @Nullable String tlsCreds;

    @Option(
            names = "--tls-hostname",
            paramLabel = "NAME",
            description = "Whom the server's certificate has to name, if that is not the host in its address.")
    private @Nullable String tlsHostname;

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public QmpCommand() {}

    @Override
    public Integer call() {
        List<String> given = words == null ? List.of() : words;
        if (given.isEmpty() && wait == null && !events) {
            throw new ParameterException(spec.commandLine(), "which command? (or --events, or --wait)");
        }
        Address to = parsed(Address::parse, address);
        EventWish wish = wait == null ? null : parsed(EventWish::parse, wait);
        Duration limit = timeout == null ? null : duration(timeout);
        JsonObject arguments =
                given.isEmpty() ? Json.object() : parsed(QmpArguments::parse, given.subList(1, given.size()));
        objects.requireUsed(tlsCreds != null, "--tls-creds");
        TlsClient tls = objects.client(to, tlsCreds, tlsHostname, "--tls-creds");
        try (QmpClient client = connect(to, tls, limit == null ? ANSWER : limit)) {
            return talk(client, given.isEmpty() ? null : given.getFirst(), arguments, wish, limit);
        } catch (Unreachable e) {
            return failed(ExitCodes.UNAVAILABLE, e.getMessage());
        }
    }

    /** Nobody to talk to, whether slow or not there. */
    private static final class Unreachable extends Exception {
        private static final long serialVersionUID = 1;

        Unreachable(QmpException cause) {
            super(cause.getMessage(), cause);
        }
    }

    private static QmpClient connect(Address to, @Nullable TlsClient tls, Duration deadline) throws Unreachable {
        try {
            return QmpClient.connect(to, tls, deadline);
        } catch (QmpException e) {
            throw new Unreachable(e);
        }
    }

    private int talk(
            QmpClient client,
            @Nullable String command,
            JsonObject arguments,
            @Nullable EventWish wish,
            @Nullable Duration limit) {
        try (QmpEvents stream = client.events()) {
            if (command != null) {
                Duration deadline = limit == null ? ANSWER : limit;
                print(
                        oob
                                ? client.executeOob(command, arguments, deadline)
                                : client.execute(command, arguments, deadline));
            }
            if (wish != null || events) {
                return follow(stream, wish, limit == null ? YEARS : limit);
            }
            return 0;
        } catch (QmpException e) {
            return failed(e);
        }
    }

    private int failed(QmpException e) {
        return switch (e) {
            case QmpError error -> {
                String errorClass = error.errorClass();
                if (json) {
                    println(new QmpMessage.ErrorReply(errorClass, String.valueOf(e.getMessage()), null).toJson());
                }
                String prefix = errorClass.equals(QmpError.GENERIC) ? "" : errorClass + ": ";
                yield failed(ExitCodes.FAILED, prefix + e.getMessage());
            }
            case QmpTimeout _ -> failed(ExitCodes.FAILED, e.getMessage());
            case QmpDisconnected _ -> failed(ExitCodes.UNAVAILABLE, e.getMessage());
        };
    }

    private int follow(QmpEvents stream, @Nullable EventWish wish, Duration limit) throws QmpException {
        try {
            stream.await(
                    event -> {
                        boolean met = wish != null && wish.isMetBy(event);
                        if (events || met) {
                            print(event);
                        }
                        return met;
                    },
                    limit);
        } catch (QmpTimeout e) {
            // Who waits for nothing in particular has seen what he wanted.
            return wish == null
                    ? 0
                    : failed(ExitCodes.FAILED, wish + " did not come within " + limit.toMillis() + " ms");
        }
        return 0;
    }

    private void print(Json answer) {
        if (json) {
            println(answer);
        } else {
            spec.commandLine().getOut().println(answer.toText(JsonFormat.PRETTY));
        }
    }

    private void print(QmpMessage.Event event) {
        if (json) {
            println(event.toJson());
            return;
        }
        String time = event.seconds() < 0
                ? "--:--:--.---"
                : Instant.ofEpochSecond(event.seconds(), event.microseconds() * NANOS_PER_MICRO)
                        .atZone(ZoneId.systemDefault())
                        .format(CLOCK);
        String data = event.data().size() == 0 ? "" : " " + event.data().toText(JsonFormat.QEMU);
        spec.commandLine().getOut().println(time + " " + event.name() + data);
    }

    private void println(Json line) {
        spec.commandLine().getOut().println(line.toText(JsonFormat.COMPACT));
    }

    private Duration duration(double seconds) {
        if (!(seconds > 0) || seconds > YEARS.toSeconds()) {
            throw new ParameterException(spec.commandLine(), "--timeout needs a number of seconds above 0");
        }
        return Duration.ofNanos((long) (seconds * 1e9));
    }

    private <A, T> T parsed(Function<A, T> parser, A text) {
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException wrong) {
            throw new ParameterException(spec.commandLine(), String.valueOf(wrong.getMessage()), wrong);
        }
    }

    private int failed(int code, @Nullable String sentence) {
        spec.commandLine().getErr().println("godwit: " + sentence);
        return code;
    }
}
