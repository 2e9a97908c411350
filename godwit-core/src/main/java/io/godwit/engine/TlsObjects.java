// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import io.godwit.net.TlsClient;
import io.godwit.net.TlsCredentials;
import io.godwit.net.TlsCredentials.Role;
import io.godwit.protocol.TlsParameters;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The {@code tls-creds-x509} objects of an endpoint by id, and what the parameters make of them. Used by the loop only. */
final class TlsObjects {
    private final Map<String, TlsCredentials> objects = new LinkedHashMap<>();

    void add(String id, TlsCredentials credentials) throws CommandRefused {
        if (objects.putIfAbsent(id, credentials) != null) {
            throw new CommandRefused("there is an object '" + id + "' already: delete it first, or choose another id");
        }
    }

    void remove(String id, TlsParameters parameters) throws CommandRefused {
        if (parameters.creds().equals(id) && objects.containsKey(id)) {
            throw new CommandRefused(
                    "object '" + id + "' is in use: the parameter tls-creds names it; set that to \"\" first");
        }
        if (objects.remove(id) == null) {
            throw new CommandRefused("there is no object '" + id + "'");
        }
    }

    /** Whether the parameters name what is there. */
    void check(TlsParameters parameters) throws CommandRefused {
        if (parameters.on()) {
            named(parameters);
        }
    }

    private TlsCredentials named(TlsParameters parameters) throws CommandRefused {
        TlsCredentials credentials = objects.get(parameters.creds());
        if (credentials == null) {
            throw new CommandRefused("tls-creds names '" + parameters.creds()
                    + "', and there is no such object: make it with object-add, qom-type=tls-creds-x509");
        }
        return credentials;
    }

    private TlsCredentials named(TlsParameters parameters, Role role, String who) throws CommandRefused {
        TlsCredentials credentials = named(parameters);
        if (credentials.role() != role) {
            throw new CommandRefused(
                    who + " needs credentials with endpoint=" + role.word() + ", and '" + parameters.creds()
                            + "' has endpoint=" + credentials.role().word());
        }
        return credentials;
    }

    /** How a source speaks TLS; null: not at all. */
    @Nullable
    TlsClient client(TlsParameters parameters, MigrationAddress target) throws CommandRefused {
        if (!parameters.on()) {
            return null;
        }
        TlsCredentials credentials = named(parameters, Role.CLIENT, "a source, which connects,");
        String host = parameters.hostname();
        if (host.isEmpty()) {
            host = switch (target) {
                case Address.Tcp tcp -> tcp.host().isEmpty() ? "localhost" : tcp.host();
                case Address.Unix _ -> "";
                case MigrationAddress.Local local -> throw noSocket(local);
            };
            if (host.isEmpty() && credentials.verifyPeer()) {
                throw new CommandRefused("whose certificate is expected at " + target
                        + " is not known: set the parameter tls-hostname to the host name in it");
            }
        } else if (target instanceof MigrationAddress.Local local) {
            throw noSocket(local);
        }
        return new TlsClient(credentials, host);
    }

    /** How a destination speaks TLS; null: not at all. */
    @Nullable
    TlsCredentials server(TlsParameters parameters, MigrationAddress listen) throws CommandRefused {
        if (!parameters.on()) {
            return null;
        }
        if (listen instanceof MigrationAddress.Local local) {
            throw noSocket(local);
        }
        return named(parameters, Role.SERVER, "a destination, which is connected to,");
    }

    /** What those who listen already take up when the parameters change; a client's credentials are for a later migration from here. */
    boolean changesServer(TlsParameters parameters) {
        TlsCredentials credentials = objects.get(parameters.creds());
        return !parameters.on() || (credentials != null && credentials.role() == Role.SERVER);
    }

    @Nullable
    TlsCredentials get(TlsParameters parameters) {
        return objects.get(parameters.creds());
    }

    private static CommandRefused noSocket(MigrationAddress.Local place) {
        return new CommandRefused("tls-creds is set, and TLS needs a socket, which " + place
                + " is not: use tcp: or unix:, or set tls-creds to \"\"");
    }
}
