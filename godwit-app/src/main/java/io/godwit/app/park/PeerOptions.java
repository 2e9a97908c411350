// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import io.godwit.app.term.EndpointOptions;
import io.godwit.json.Json;
import io.godwit.json.JsonString;
import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import io.godwit.peer.MigrationTerms;
import io.godwit.peer.PeerException;
import io.godwit.peer.QemuPeer;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MultifdParameters;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options about the QEMU at the other end. */
final class PeerOptions {
    private static final Duration ANSWER = Duration.ofSeconds(20);

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--qmp-peer",
            paramLabel = "ADDRESS",
            description =
                    "The QEMU's QMP socket, which nobody else uses: it is checked, set up and told what to do from here.")
    private @Nullable String peer;

    @Option(
            names = "--qmp-peer-tls-creds",
            paramLabel = "ID",
            description = "Speak TLS to it, with the certificates of that --object (endpoint=client).")
    private @Nullable String peerCreds;

    @Option(
            names = "--qmp-peer-tls-hostname",
            paramLabel = "NAME",
            description = "Whom its certificate has to name, if that is not the host in its address.")
    private @Nullable String peerHostname;

    @Option(
            names = "--peer-parameter",
            paramLabel = "NAME=VALUE",
            description =
                    "Set a migration parameter at the QEMU, as in max-bandwidth=500000000, or tls-creds=ID for an object that was made there.")
    private Map<String, String> parameters = Map.of();

    @Option(
            names = "--same-qemu",
            description = {
                "Your word that --qmp-peer is the QEMU that an interrupted way was with, where that cannot be known:",
                "its QMP has another address now, or --qmp-peer was not given then."
            })
    private boolean same;

    @Option(
            names = "--recoveries",
            paramLabel = "N",
            description =
                    "How many recoveries in a row may come to nothing before the command gives up for now (default: 5).")
    private int recoveries = 5;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    PeerOptions() {}

    int recoveries() {
        if (recoveries < 0) {
            throw new ParameterException(spec.commandLine(), "--recoveries is " + recoveries + ": give 0 or more");
        }
        return recoveries;
    }

    boolean given() {
        return peer != null;
    }

    /** Where the QEMU's QMP is, in a form that the working folder has no part in; null if none was given. */
    @Nullable
    String address(EndpointOptions options) {
        if (peer == null) {
            return null;
        }
        return switch (options.address(peer)) {
            case Address.Unix(Path path) -> "unix:" + path.toAbsolutePath().normalize();
            case Address.Tcp tcp -> tcp.toString();
        };
    }

    /**
     * Why what this QEMU says is not taken for proof of an interrupted way, as a sentence; null: it is, or none was given.
     *
     * @param way what was interrupted, as the beginning of the sentence
     * @param before the address of the QMP then, or null if nobody said
     */
    @Nullable
    String whyNotTheSame(String way, @Nullable String before, EndpointOptions options) {
        String now = address(options);
        if (same || now == null || now.equals(before)) {
            return null;
        }
        return way
                + (before == null
                        ? ", and nobody said at which QMP it is"
                        : ", whose QMP is at " + before + ", and --qmp-peer is " + now)
                + ": another QEMU proves nothing of where the VM is; "
                + (before == null ? "if it is " + now : "name that one, or, if it is the same at another address")
                + ", add --same-qemu";
    }

    /** Whether the QEMU is on this very machine, as far as can be told. */
    boolean here() {
        return peer != null && peer.startsWith("unix:");
    }

    /** Connects to it; null if none was given. */
    @Nullable
    QemuPeer connect(EndpointOptions options) throws PeerException {
        if (peer == null) {
            if (peerCreds != null || peerHostname != null) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--qmp-peer-tls-... says how --qmp-peer is spoken to, and that is not given");
            }
            return null;
        }
        Address address = options.address(peer);
        return QemuPeer.connect(
                address, options.objects().client(address, peerCreds, peerHostname, "--qmp-peer-tls-creds"), ANSWER);
    }

    /**
     * What both ends are to agree on.
     *
     * @param place a file answers nothing, so there is no return path unless one is asked for, which is then refused
     */
    MigrationTerms terms(Mode mode, EndpointOptions options, MigrationAddress place) {
        Set<Capability> capabilities = EnumSet.copyOf(mode.terms().capabilities());
        if (place instanceof MigrationAddress.FileRange) {
            capabilities.remove(Capability.RETURN_PATH);
        }
        options.capabilities().forEach((name, on) -> {
            Capability capability = Capability.of(name);
            if (capability == null) {
                throw new ParameterException(spec.commandLine(), "there is no capability '" + name + "'");
            }
            if (on) {
                capabilities.add(capability);
            } else {
                capabilities.remove(capability);
            }
        });
        Map<String, Json> values = new LinkedHashMap<>(EndpointOptions.values(parameters));
        if (capabilities.contains(Capability.MULTIFD)) {
            alike(options).forEach((name, ours) -> {
                Json theirs = values.putIfAbsent(name, ours);
                if (theirs != null && !theirs.equals(ours)) {
                    throw new ParameterException(
                            spec.commandLine(),
                            "--peer-parameter " + name + "=" + words(theirs) + ", but it is " + words(ours)
                                    + " here, and both ends need the same: give --set-parameter " + name
                                    + "=VALUE, which sets the QEMU too");
                }
            });
        }
        return new MigrationTerms(capabilities, values, options.tls());
    }

    /** What the two ends of multifd's channels have alike, or nothing comes over them ({@code spec/multifd.md}), as it is at this one. */
    private static Map<String, Json> alike(EndpointOptions options) {
        Map<String, Json> ours = new LinkedHashMap<>();
        ours.put("multifd-channels", Json.of(MultifdParameters.DEFAULT.channels()));
        ours.put(
                "multifd-compression",
                Json.of(MultifdParameters.DEFAULT.compression().title()));
        ours.replaceAll((name, value) -> options.parameters().getOrDefault(name, value));
        return ours;
    }

    private static String words(Json value) {
        return value instanceof JsonString text ? text.value() : value.toString();
    }

    /** The same address, with the port that was chosen where any was asked for. */
    static MigrationAddress withPort(MigrationAddress wanted, MigrationAddress real) {
        return wanted instanceof Address.Tcp want && want.port() == 0 && real instanceof Address.Tcp is
                ? new Address.Tcp(want.host(), is.port())
                : wanted;
    }
}
