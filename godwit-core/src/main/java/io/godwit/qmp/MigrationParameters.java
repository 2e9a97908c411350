// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonBool;
import io.godwit.json.JsonNumber;
import io.godwit.json.JsonObject;
import io.godwit.protocol.Parameters;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;

/** All parameters of QEMU 10.0 and Godwit's own ({@code spec/qmp.md §6}). */
final class MigrationParameters {
    private static final long MAX_DOWNTIME = 2_000_000;
    private static final long DAY_MILLIS = 86_400_000;
    private static final String NO_MULTIFD = "several page channels are not implemented yet";
    private static final String NO_THROTTLE = "the guest's threads cannot be throttled";
    private static final String NO_NETWORK_CARD = "the guest has no network card to announce";
    private static final String NO_TLS = "TLS is not implemented yet";

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
            new MigrationParameter.FixedInt("multifd-channels", 2, 1, 255, NO_MULTIFD),
            word("multifd-compression", "none", List.of("none", "zlib", "zstd", "qatzip", "qpl", "uadk"), NO_MULTIFD),
            new MigrationParameter.FixedInt("multifd-zlib-level", 1, 0, 9, NO_MULTIFD),
            new MigrationParameter.FixedInt("multifd-zstd-level", 1, 0, 20, NO_MULTIFD),
            new MigrationParameter.FixedInt("multifd-qatzip-level", 1, 1, 9, NO_MULTIFD),
            word(
                    "zero-page-detection",
                    "multifd",
                    List.of("none", "legacy", "multifd"),
                    "zero pages are always found by the one that sends"),
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
            new MigrationParameter.FixedWord("tls-creds", "", List.of(), true, NO_TLS),
            new MigrationParameter.FixedWord("tls-hostname", "", List.of(), true, NO_TLS),
            new MigrationParameter.FixedWord("tls-authz", "", List.of(), true, NO_TLS),
            new MigrationParameter.FixedInt("x-checkpoint-delay", 20_000, 0, 0xffff_ffffL, "there is no COLO"),
            new MigrationParameter.FixedEmpty("block-bitmap-mapping", "the guest has no block devices"),
            word(
                    "mode",
                    "normal",
                    List.of("normal", "cpr-reboot", "cpr-transfer"),
                    "the guest's memory always travels through the channel"),
            new MigrationParameter.FixedOff("direct-io", "migration files are not implemented yet"));

    private static final Map<String, MigrationParameter> BY_NAME = new LinkedHashMap<>();

    static {
        ALL.forEach(parameter -> BY_NAME.put(parameter.name(), parameter));
    }

    private MigrationParameters() {}

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
        for (Map.Entry<String, Json> argument : arguments.members().entrySet()) {
            MigrationParameter parameter = Objects.requireNonNull(BY_NAME.get(argument.getKey()), "declared");
            parameter.check(argument.getValue());
            if (parameter instanceof MigrationParameter.Honoured honoured) {
                values[honoured.slot()] = ((JsonNumber) argument.getValue()).int64();
                given[honoured.slot()] = true;
            }
        }
        return old -> new Parameters(
                given[0] ? values[0] : old.maxBandwidth(),
                given[1] ? values[1] : old.maxPostcopyBandwidth(),
                given[2] ? values[2] : old.downtimeLimitMillis(),
                given[3] ? values[3] : old.availSwitchoverBandwidth(),
                given[4] ? values[4] : old.handshakeTimeoutMillis(),
                given[5] ? values[5] : old.livenessTimeoutMillis(),
                given[6] ? values[6] : old.pingIntervalMillis());
    }
}
