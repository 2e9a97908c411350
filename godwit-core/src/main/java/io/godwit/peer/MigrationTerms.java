// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import io.godwit.json.Json;
import io.godwit.protocol.Capability;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What a QEMU is to be set to before a migration between it and a Godwit.
 *
 * <p>Capabilities that change what is on the wire and are not wanted are switched off, also ones that are not known here. Those that only concern the peer's own
 * conduct ({@link #ITS_OWN}) are left as they are.
 *
 * @param capabilities to be on
 * @param parameters to be set, by name ({@code spec/qmp.md §6})
 * @param tls whether this end speaks TLS, so that the peer has to have credentials in its parameter tls-creds
 */
public record MigrationTerms(Set<Capability> capabilities, Map<String, Json> parameters, boolean tls) {

    /** Of no effect on the wire: an operator's own business ({@code spec/qmp.md §5}). */
    static final Set<String> ITS_OWN = Set.of(
            Capability.AUTO_CONVERGE.word(),
            Capability.ZERO_BLOCKS.word(),
            Capability.POSTCOPY_BLOCKTIME.word(),
            Capability.LATE_BLOCK_ACTIVATE.word(),
            Capability.DIRTY_LIMIT.word());

    /** Without TLS. */
    public MigrationTerms(Set<Capability> capabilities, Map<String, Json> parameters) {
        this(capabilities, parameters, false);
    }

    public MigrationTerms {
        capabilities = Set.copyOf(capabilities);
        parameters = Map.copyOf(parameters);
    }

    /** Precopy with the return path, without which a source never learns whether its guest arrived. */
    public static MigrationTerms precopy() {
        return new MigrationTerms(EnumSet.of(Capability.EVENTS, Capability.RETURN_PATH), Map.of());
    }

    /** Postcopy is possible; it starts on command. */
    public static MigrationTerms postcopy() {
        return precopy().with(Capability.POSTCOPY_RAM);
    }

    public MigrationTerms with(Capability capability) {
        Set<Capability> more = EnumSet.of(capability);
        more.addAll(capabilities);
        return new MigrationTerms(more, parameters, tls);
    }

    /** With a parameter: bytes per second, milliseconds, whatever its unit is. */
    public MigrationTerms with(String parameter, long value) {
        Map<String, Json> more = new LinkedHashMap<>(parameters);
        more.put(parameter, Json.of(value));
        return new MigrationTerms(capabilities, more, tls);
    }

    boolean wants(String capability) {
        Capability known = Capability.of(capability);
        return known != null && capabilities.contains(known);
    }
}
