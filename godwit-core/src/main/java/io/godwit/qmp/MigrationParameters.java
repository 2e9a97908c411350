// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonBool;
import io.godwit.json.JsonNumber;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonString;
import io.godwit.protocol.MultifdParameters;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.TlsParameters;
import io.godwit.protocol.ZeroPageDetection;
import io.godwit.wire.MultifdCompression;
import io.godwit.wire.MultifdSetup;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** All parameters of QEMU 10.0 and Godwit's own ({@code spec/qmp.md §6}). */
final class MigrationParameters {
    private static final long MAX_DOWNTIME = 2_000_000;
    private static final long DAY_MILLIS = 86_400_000;
    private static final String NO_QATZIP = "multifd-compression qatzip is not spoken";
    private static final String NO_THROTTLE = "the guest's threads cannot be throttled";
    private static final String NO_NETWORK_CARD = "the guest has no network card to announce";
    private static final String NO_AUTHZ =
            "whoever the CA has issued a certificate to is let in: give out certificates of a CA of its own instead";

    private static final List<MigrationParameter> ALL = List.of(
            new MigrationParameter.Honoured("max-bandwidth", 0, 0, Long.MAX_VALUE, Parameters::maxBandwidth),
            new MigrationParameter.Honoured(
                    "max-postcopy-bandwidth", 1, 0, Long.MAX_VALUE, Parameters::maxPostcopyBandwidth),
            new MigrationParameter.Honoured("downtime-limit", 2, 0, MAX_DOWNTIME, Parameters::downtimeLimitMillis),
            new MigrationParameter.Honoured(
                    "avail-switchover-bandwidth", 3, 0, Long.MAX_VALUE, Parameters::availSwitchoverBandwidth),
            new MigrationParameter.Honoured(
                    "x-godwit-handshake-timeout", 4, 0, DAY_MILLIS, Parameters::handshakeTimeoutMillis),
            new MigrationParameter.Honoured(
                    "x-godwit-liveness-timeout", 5, 0, DAY_MILLIS, Parameters::livenessTimeoutMillis),
            new MigrationParameter.Honoured("x-godwit-ping-interval", 6, 0, DAY_MILLIS, Parameters::pingIntervalMillis),
            new MigrationParameter.Switch(
                    "x-godwit-peer-may-be-7.2", Parameters::peerMayBe72, Parameters::withPeerMayBe72),
            new MigrationParameter.Whole(
                    "multifd-channels",
                    1,
                    MultifdSetup.MAX_CHANNELS,
                    MultifdParameters::channels,
                    (old, count) -> old.withChannels(Math.toIntExact(count))),
            new MigrationParameter.Word(
                    "multifd-compression",
                    List.of("none", "zlib", "zstd", "qatzip", "qpl", "uadk"),
                    MigrationParameters::notSpoken,
                    multifd -> multifd.compression().title(),
                    (old, word) -> old.withCompression(Objects.requireNonNull(compression(word)))),
            new MigrationParameter.Whole(
                    "multifd-zlib-level",
                    0,
                    9,
                    MultifdParameters::zlibLevel,
                    (old, level) -> old.withZlibLevel(Math.toIntExact(level))),
            new MigrationParameter.Whole(
                    "multifd-zstd-level",
                    0,
                    20,
                    MultifdParameters::zstdLevel,
                    (old, level) -> old.withZstdLevel(Math.toIntExact(level))),
            new MigrationParameter.FixedInt("multifd-qatzip-level", 1, 1, 9, NO_QATZIP),
            new MigrationParameter.Word(
                    "zero-page-detection",
                    List.of("none", "legacy", "multifd"),
                    _ -> null,
                    multifd -> multifd.zeroPages().word(),
                    (old, word) -> old.withZeroPages(ZeroPageDetection.valueOf(word.toUpperCase(Locale.ROOT)))),
            new MigrationParameter.Word(
                    "x-godwit-multifd-uuid",
                    List.of(),
                    MigrationParameters::noUuid,
                    multifd -> multifd.uuid() == null ? "" : multifd.uuid().toString(),
                    (old, word) -> old.withUuid(word.isEmpty() ? null : UUID.fromString(word))),
            new MigrationParameter.FixedInt(
                    "xbzrle-cache-size", 64 << 20, 4096, Long.MAX_VALUE, "the cache of sent pages has a fixed size"),
            new MigrationParameter.FixedInt("announce-initial", 50, 0, 100_000, NO_NETWORK_CARD),
            new MigrationParameter.FixedInt("announce-max", 550, 0, 100_000, NO_NETWORK_CARD),
            new MigrationParameter.FixedInt("announce-rounds", 5, 0, 1000, NO_NETWORK_CARD),
            new MigrationParameter.FixedInt("announce-step", 100, 1, 10_000, NO_NETWORK_CARD),
            new MigrationParameter.FixedInt("throttle-trigger-threshold", 50, 1, 100, NO_THROTTLE),
            new MigrationParameter.FixedInt("cpu-throttle-initial", 20, 1, 99, NO_THROTTLE),
            new MigrationParameter.FixedInt("cpu-throttle-increment", 10, 1, 99, NO_THROTTLE),
            new MigrationParameter.FixedOff("cpu-throttle-tailslow", NO_THROTTLE),
            new MigrationParameter.FixedInt("max-cpu-throttle", 99, 20, 99, NO_THROTTLE),
            new MigrationParameter.FixedInt("x-vcpu-dirty-limit-period", 1000, 1, 1000, NO_THROTTLE),
            new MigrationParameter.FixedInt("vcpu-dirty-limit", 1, 1, Long.MAX_VALUE, NO_THROTTLE),
            new MigrationParameter.Tls("tls-creds", TlsParameters::creds, TlsParameters::withCreds),
            new MigrationParameter.Tls("tls-hostname", TlsParameters::hostname, TlsParameters::withHostname),
            new MigrationParameter.FixedWord("tls-authz", "", List.of(), true, NO_AUTHZ),
            new MigrationParameter.FixedInt("x-checkpoint-delay", 20_000, 0, 0xffff_ffffL, "there is no COLO"),
            new MigrationParameter.FixedEmpty("block-bitmap-mapping", "the guest has no block devices"),
            word(
                    "mode",
                    "normal",
                    List.of("normal", "cpr-reboot", "cpr-transfer"),
                    "the guest's memory always travels through the channel"),
            new MigrationParameter.FixedOff("direct-io", "files are written through the page cache, and synced"));

    private static final Pattern UUID_FORM =
            Pattern.compile("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");

    private static final Map<String, MigrationParameter> BY_NAME = new LinkedHashMap<>();

    static {
        ALL.forEach(parameter -> BY_NAME.put(parameter.name(), parameter));
    }

    private MigrationParameters() {}

    private static @Nullable MultifdCompression compression(String word) {
        for (MultifdCompression each : MultifdCompression.values()) {
            if (each.title().equals(word)) {
                return each;
            }
        }
        return null;
    }

    private static @Nullable String notSpoken(String word) {
        MultifdCompression compression = compression(word);
        return compression == null ? "it is not spoken here; use none, zlib or zstd" : compression.whyNot();
    }

    private static @Nullable String noUuid(String word) {
        return word.isEmpty() || UUID_FORM.matcher(word).matches()
                ? null
                : "a UUID has 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12, and nothing stands for none";
    }

    private static MigrationParameter word(String name, String fixed, List<String> words, String why) {
        return new MigrationParameter.FixedWord(name, fixed, words, false, why);
    }

    /** Declares them as the arguments of a command. */
    static CommandTable.CommandBuilder declare(CommandTable.CommandBuilder command) {
        ALL.forEach(parameter -> command.mayTake(parameter.name(), parameter.type()));
        return command;
    }

    static Json shown(Parameters parameters) {
        JsonObject.Builder json = JsonObject.builder();
        for (MigrationParameter parameter : ALL) {
            switch (parameter) {
                case MigrationParameter.Honoured p -> json.put(p.name(), p.get().applyAsLong(parameters));
                case MigrationParameter.Switch p -> json.put(p.name(), p.get().test(parameters));
                case MigrationParameter.Whole p -> json.put(p.name(), p.get().applyAsLong(parameters.multifd()));
                case MigrationParameter.Word p -> json.put(p.name(), p.get().apply(parameters.multifd()));
                case MigrationParameter.Tls p -> json.put(p.name(), p.get().apply(parameters.tls()));
                case MigrationParameter.FixedInt p -> json.put(p.name(), p.fixed());
                case MigrationParameter.FixedWord p -> json.put(p.name(), p.fixed());
                case MigrationParameter.FixedOff p -> json.put(p.name(), JsonBool.FALSE);
                case MigrationParameter.FixedEmpty _ -> {}
            }
        }
        return json.build();
    }

    /** Checks all of them before any is changed. */
    static UnaryOperator<Parameters> change(JsonObject arguments) throws QmpError {
        long[] values = new long[Parameters.class.getRecordComponents().length];
        boolean[] given = new boolean[values.length];
        List<UnaryOperator<Parameters>> switches = new ArrayList<>();
        List<UnaryOperator<MultifdParameters>> multifd = new ArrayList<>();
        for (Map.Entry<String, Json> argument : arguments.members().entrySet()) {
            MigrationParameter parameter = Objects.requireNonNull(BY_NAME.get(argument.getKey()), "declared");
            parameter.check(argument.getValue());
            switch (parameter) {
                case MigrationParameter.Honoured honoured -> {
                    values[honoured.slot()] = ((JsonNumber) argument.getValue()).int64();
                    given[honoured.slot()] = true;
                }
                case MigrationParameter.Switch one -> {
                    boolean on = argument.getValue().equals(JsonBool.TRUE);
                    switches.add(old -> one.set().apply(old, on));
                }
                case MigrationParameter.Whole number -> {
                    long value = ((JsonNumber) argument.getValue()).int64();
                    multifd.add(old -> number.set().apply(old, value));
                }
                case MigrationParameter.Word word -> {
                    String value = ((JsonString) argument.getValue()).value();
                    multifd.add(old -> word.set().apply(old, value));
                }
                case MigrationParameter.Tls word -> {
                    String value = MigrationParameter.Tls.word(argument.getValue());
                    switches.add(old -> old.withTls(word.set().apply(old.tls(), value)));
                }
                case MigrationParameter.FixedInt _,
                        MigrationParameter.FixedWord _,
                        MigrationParameter.FixedOff _,
                        MigrationParameter.FixedEmpty _ -> {}
            }
        }
        return old -> changed(
                new Parameters(
                        given[0] ? values[0] : old.maxBandwidth(),
                        given[1] ? values[1] : old.maxPostcopyBandwidth(),
                        given[2] ? values[2] : old.downtimeLimitMillis(),
                        given[3] ? values[3] : old.availSwitchoverBandwidth(),
                        given[4] ? values[4] : old.handshakeTimeoutMillis(),
                        given[5] ? values[5] : old.livenessTimeoutMillis(),
                        given[6] ? values[6] : old.pingIntervalMillis(),
                        changed(old.multifd(), multifd),
                        old.peerMayBe72(),
                        old.tls()),
                switches);
    }

    private static <T> T changed(T old, List<UnaryOperator<T>> changes) {
        T then = old;
        for (UnaryOperator<T> change : changes) {
            then = change.apply(then);
        }
        return then;
    }
}
