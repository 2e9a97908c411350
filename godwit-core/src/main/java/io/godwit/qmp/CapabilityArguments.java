// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.protocol.Capability;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** migrate-set-capabilities and its query: which can be enabled, and which together ({@code spec/qmp.md §2.1, §5}). */
final class CapabilityArguments {
    /** The other conflicts of QEMU's are among capabilities that cannot be enabled here anyway. */
    private static final Map<Capability, Capability> NEEDS = Map.of(
            Capability.POSTCOPY_PREEMPT, Capability.POSTCOPY_RAM,
            Capability.SWITCHOVER_ACK, Capability.RETURN_PATH);

    /** Multifd carries whole pages, and has a compression of its own. */
    private static final Set<Capability> NOT_WITH_MULTIFD = EnumSet.of(Capability.XBZRLE, Capability.COMPRESS);

    private CapabilityArguments() {}

    /** QEMU 10.0's, in its order; what only older ones know is shown while it is on. */
    static Json shown(Set<Capability> enabled) {
        return new JsonArray(Stream.of(Capability.values())
                .filter(capability -> capability != Capability.COMPRESS || enabled.contains(capability))
                .<Json>map(capability -> JsonObject.builder()
                        .put("state", enabled.contains(capability))
                        .put("capability", capability.word())
                        .build())
                .toList());
    }

    /**
     * Reads the changes and checks what would come of them.
     *
     * @param enabled before the changes
     */
    static Map<Capability, Boolean> changes(JsonArray capabilities, Set<Capability> enabled) throws QmpError {
        Map<Capability, Boolean> changes = new EnumMap<>(Capability.class);
        for (int i = 0; i < capabilities.size(); i++) {
            JsonObject change = capabilities.object(i);
            Capability capability = capability(change.string("capability"));
            boolean state = change.bool("state");
            for (String name : change.names()) {
                if (!name.equals("capability") && !name.equals("state")) {
                    throw QmpError.generic("a capability's change has no member '" + name + "'");
                }
            }
            if (state && capability.whyNot() != null) {
                throw QmpError.generic(
                        "the capability '" + capability.word() + "' cannot be enabled: " + capability.whyNot());
            }
            changes.put(capability, state);
        }
        check(enabled, changes);
        return changes;
    }

    private static Capability capability(String word) throws QmpError {
        Capability capability = Capability.of(word);
        if (capability == null) {
            throw QmpError.generic(
                    "there is no capability '" + word + "'; query-migrate-capabilities names those there are");
        }
        return capability;
    }

    private static void check(Set<Capability> enabled, Map<Capability, Boolean> changes) throws QmpError {
        Set<Capability> then = EnumSet.noneOf(Capability.class);
        then.addAll(enabled);
        changes.forEach((capability, state) -> {
            if (state) {
                then.add(capability);
            } else {
                then.remove(capability);
            }
        });
        for (Map.Entry<Capability, Capability> rule : NEEDS.entrySet()) {
            if (then.contains(rule.getKey()) && !then.contains(rule.getValue())) {
                throw QmpError.generic("the capability '" + rule.getKey().word() + "' needs '"
                        + rule.getValue().word() + "': enable both, or neither");
            }
        }
        for (Capability other : NOT_WITH_MULTIFD) {
            if (then.contains(Capability.MULTIFD) && then.contains(other)) {
                throw QmpError.generic(
                        "the capabilities 'multifd' and '" + other.word()
                                + "' do not go together: multifd carries whole pages and has multifd-compression; enable one of them");
            }
        }
    }
}
