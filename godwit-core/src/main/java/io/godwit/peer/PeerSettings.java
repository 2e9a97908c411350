// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonString;
import io.godwit.json.JsonTypeException;
import io.godwit.protocol.Capability;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Brings a QEMU's capabilities and parameters to {@link MigrationTerms}; used once. */
final class PeerSettings {
    private final QemuPeer peer;
    private final MigrationTerms terms;

    PeerSettings(QemuPeer peer, MigrationTerms terms) {
        this.peer = peer;
        this.terms = terms;
    }

    void apply() throws PeerException {
        Map<String, Boolean> capabilities = capabilities();
        JsonObject parameters = parameters();
        List<String> cannot = cannot(capabilities, parameters);
        if (!cannot.isEmpty()) {
            throw PeerException.refused(peer.name() + " cannot be used: " + String.join("; ", cannot));
        }
        setCapabilities(changes(capabilities));
        if (!terms.parameters().isEmpty()) {
            peer.command("migrate-set-parameters", new JsonObject(terms.parameters()));
        }
        verify();
    }

    private List<String> cannot(Map<String, Boolean> capabilities, JsonObject parameters) {
        List<String> cannot = new ArrayList<>();
        for (Capability wanted : terms.capabilities()) {
            if (!capabilities.containsKey(wanted.word())) {
                cannot.add("it has no capability '" + wanted.word() + "'");
            }
        }
        for (String name : terms.parameters().keySet()) {
            if (!parameters.has(name)) {
                cannot.add("it has no parameter '" + name + "'");
            }
        }
        String creds =
                terms.parameters().getOrDefault("tls-creds", parameters.get("tls-creds")) instanceof JsonString word
                        ? word.value()
                        : "";
        if (!terms.tls() && !creds.isEmpty()) {
            cannot.add("its parameter tls-creds is '" + creds
                    + "', and this end is not to speak TLS: set it to \"\", or give this end credentials, too");
        } else if (terms.tls() && creds.isEmpty()) {
            cannot.add("its parameter tls-creds is empty, and this end is to speak TLS: it needs the id of a"
                    + " tls-creds-x509 object that was made there");
        }
        String mode = parameters.string("mode", "normal");
        if (!mode.equals("normal")) {
            cannot.add("its parameter mode is '" + mode + "': set it to normal");
        }
        return cannot;
    }

    /** Only what differs: a build may refuse to be told even "off" of what it was built without. */
    private Map<String, Boolean> changes(Map<String, Boolean> now) {
        Map<String, Boolean> changes = new LinkedHashMap<>();
        now.forEach((name, on) -> {
            boolean wanted = terms.wants(name) || (on && MigrationTerms.ITS_OWN.contains(name));
            if (on != wanted) {
                changes.put(name, wanted);
            }
        });
        return changes;
    }

    /** In one command: the peer judges the set as a whole (preempt needs postcopy) and takes all or nothing, seen on 7.2, 10.0 and 11.1. */
    private void setCapabilities(Map<String, Boolean> changes) throws PeerException {
        if (changes.isEmpty()) {
            return;
        }
        List<Json> list = new ArrayList<>();
        changes.forEach((name, on) -> list.add(
                JsonObject.builder().put("capability", name).put("state", on).build()));
        peer.command(
                "migrate-set-capabilities",
                JsonObject.builder().put("capabilities", new JsonArray(list)).build());
    }

    private void verify() throws PeerException {
        Map<String, Boolean> wrong = changes(capabilities());
        if (!wrong.isEmpty()) {
            throw PeerException.refused(
                    peer.name() + " took the capabilities and does not have them: " + wrong.keySet());
        }
        JsonObject parameters = parameters();
        for (Map.Entry<String, Json> wanted : terms.parameters().entrySet()) {
            Json now = parameters.require(wanted.getKey());
            if (!now.equals(wanted.getValue())) {
                throw PeerException.refused(
                        peer.name() + " took " + wanted.getKey() + "=" + wanted.getValue() + " and has " + now);
            }
        }
    }

    private Map<String, Boolean> capabilities() throws PeerException {
        if (!(peer.command("query-migrate-capabilities", Json.object()) instanceof JsonArray list)) {
            throw new JsonTypeException("the answer to 'query-migrate-capabilities' is no array");
        }
        Map<String, Boolean> states = new LinkedHashMap<>();
        for (int i = 0; i < list.size(); i++) {
            states.put(list.object(i).string("capability"), list.object(i).bool("state"));
        }
        return states;
    }

    private JsonObject parameters() throws PeerException {
        if (peer.command("query-migrate-parameters", Json.object()) instanceof JsonObject parameters) {
            return parameters;
        }
        throw new JsonTypeException("the answer to 'query-migrate-parameters' is no object");
    }
}
