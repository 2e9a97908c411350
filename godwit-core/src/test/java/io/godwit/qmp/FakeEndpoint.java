// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.engine.EndpointControl;
import io.godwit.engine.EndpointListener;
import io.godwit.engine.MigrationInfo;
import io.godwit.net.MigrationAddress;
import io.godwit.net.TlsCredentials;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** An endpoint that writes down what it is told, and refuses when it is told to. */
final class FakeEndpoint implements EndpointControl {
    final List<String> calls = Collections.synchronizedList(new ArrayList<>());
    final List<EndpointListener> listeners = new CopyOnWriteArrayList<>();
    volatile @Nullable String refusal;
    volatile @Nullable IOException failure;
    volatile Parameters parameters = Parameters.DEFAULT;
    volatile String runState = "running";
    volatile MigrationInfo info = info(null, MigrationStatus.NONE);
    final Map<String, TlsCredentials> credentials = new ConcurrentHashMap<>();
    private final Set<Capability> capabilities = Collections.synchronizedSet(EnumSet.noneOf(Capability.class));

    static MigrationInfo info(MigrationInfo.@Nullable Role role, MigrationStatus status) {
        return new MigrationInfo(
                role,
                status,
                null,
                0,
                0,
                0,
                -1,
                MigrationInfo.Ram.NONE,
                List.of(),
                MigrationInfo.Requests.NONE,
                MigrationInfo.Extra.NONE);
    }

    private void called(String call) throws CommandRefused {
        String why = refusal;
        if (why != null) {
            throw new CommandRefused(why);
        }
        calls.add(call);
    }

    @Override
    public void migrate(MigrationAddress target, boolean resume) throws CommandRefused {
        called("migrate " + target + (resume ? " resume" : ""));
    }

    @Override
    public void migrateIncoming(MigrationAddress listen) throws CommandRefused {
        called("incoming " + listen);
    }

    @Override
    public void migrateRecover(MigrationAddress listen) throws CommandRefused {
        called("recover " + listen);
    }

    @Override
    public void migratePause() throws CommandRefused {
        called("pause");
    }

    @Override
    public void yank() throws CommandRefused {
        called("yank");
    }

    @Override
    public void migrateCancel() throws CommandRefused {
        called("cancel");
    }

    @Override
    public void migrateContinue(String status) throws CommandRefused {
        called("continue " + status);
    }

    @Override
    public void migrateStartPostcopy() throws CommandRefused {
        called("start-postcopy");
    }

    @Override
    public void migrateResolve(Owner owner) throws CommandRefused {
        called("resolve " + owner);
    }

    @Override
    public Set<Capability> capabilities() {
        synchronized (capabilities) {
            Set<Capability> copy = EnumSet.noneOf(Capability.class);
            copy.addAll(capabilities);
            return copy;
        }
    }

    @Override
    public void setCapabilities(Map<Capability, Boolean> changes) throws CommandRefused {
        called("capabilities " + changes);
        changes.forEach((capability, on) -> {
            if (on) {
                capabilities.add(capability);
            } else {
                capabilities.remove(capability);
            }
        });
        listeners.forEach(listener -> listener.capabilitiesChanged(capabilities()));
    }

    @Override
    public Parameters parameters() {
        return parameters;
    }

    @Override
    public void setParameters(UnaryOperator<Parameters> change) throws CommandRefused {
        called("parameters");
        parameters = change.apply(parameters);
    }

    @Override
    public MigrationInfo info() {
        String why = refusal;
        if (why != null) {
            throw new IllegalStateException(why, new CommandRefused(why)); // as an endpoint that has ended
        }
        return info;
    }

    @Override
    public String runState() {
        return runState;
    }

    @Override
    public void stop() throws CommandRefused {
        called("stop");
    }

    @Override
    public void cont() throws CommandRefused {
        called("cont");
    }

    @Override
    public void quit(String reason) throws CommandRefused {
        called("quit " + reason);
    }

    @Override
    public void pmemsave(long address, long size, Path file) throws CommandRefused, IOException {
        IOException unwritable = failure;
        if (unwritable != null) {
            throw unwritable;
        }
        called("pmemsave " + address + " " + size + " " + file);
    }

    @Override
    public void addListener(EndpointListener listener) {
        listeners.add(listener);
        listener.capabilitiesChanged(capabilities());
    }

    @Override
    public void removeListener(EndpointListener listener) {
        listeners.remove(listener);
    }

    @Override
    public void addCredentials(String id, TlsCredentials credentials) throws CommandRefused {
        called("object-add " + id + " " + credentials.role().word() + " " + credentials.verifyPeer());
        if (this.credentials.putIfAbsent(id, credentials) != null) {
            throw new CommandRefused("it is there already");
        }
    }

    @Override
    public void removeCredentials(String id) throws CommandRefused {
        if (credentials.remove(id) == null) {
            throw new CommandRefused("there is no object '" + id + "'");
        }
    }
}
