// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.run;

import io.godwit.engine.Endpoint;
import io.godwit.engine.StoredGuest;
import io.godwit.guest.ChurnGuest;
import io.godwit.guest.ChurnOptions;
import io.godwit.memory.Backing;
import io.godwit.net.Address;
import io.godwit.qmp.EndpointQmp;
import io.godwit.qmp.QmpAccess;
import io.godwit.qmp.QmpVersion;
import io.godwit.store.OsDisk;
import io.godwit.store.StoreException;
import io.godwit.store.VmStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A guest, or a VM's folder, its endpoint and its QMP servers, from the first to the last. Every method may be called from any thread. */
final class Running implements AutoCloseable {
    private final @Nullable ChurnGuest guest;
    private final Endpoint endpoint;
    private final List<EndpointQmp> servers = new ArrayList<>();
    private boolean closed;

    private Running(@Nullable ChurnGuest guest, Endpoint endpoint) {
        this.guest = guest;
        this.endpoint = endpoint;
    }

    /** @throws IOException with a sentence, if the memory cannot be had */
    static Running source(ChurnOptions options, Backing backing) throws IOException {
        ChurnGuest guest = ChurnGuest.create(options, backing);
        return new Running(guest, Endpoint.withGuest("endpoint", guest, System::nanoTime, new Random()));
    }

    /** @throws IOException with a sentence, if the memory cannot be had */
    static Running destination(long size, Backing backing) throws IOException {
        ChurnGuest guest = ChurnGuest.incoming(size, backing);
        return new Running(guest, Endpoint.forIncoming("endpoint", guest, System::nanoTime, new Random()));
    }

    /**
     * A VM's folder, which is made if it is not there.
     *
     * @throws IOException with a sentence, also if another process has it
     */
    static Running stored(Path folder) throws IOException {
        VmStore store;
        try {
            store = VmStore.open(new OsDisk(), folder, Clock.systemUTC(), QmpVersion.GODWIT.packageName());
        } catch (StoreException e) {
            throw new IOException(e.getMessage(), e);
        }
        // Who drives this end by QMP has to see to the source before it says migrate: this is that word.
        StoredGuest parked = new StoredGuest(
                store, Clock.systemUTC(), StoredGuest.Terms.leaving(null, "", StoredGuest.Copy.NONE, true));
        boolean done = false;
        try {
            Endpoint endpoint = Endpoint.parking("endpoint", parked, false, System::nanoTime, new Random());
            done = true;
            return new Running(null, endpoint);
        } finally {
            if (!done) {
                parked.close();
            }
        }
    }

    Endpoint endpoint() {
        return endpoint;
    }

    /** Serves QMP there, too; returns the address with the port that was chosen. */
    Address serve(QmpAccess access) throws IOException {
        ChurnGuest embedded = guest;
        EndpointQmp server = embedded == null
                ? EndpointQmp.serve(access, endpoint)
                : EndpointQmp.serve(access, endpoint, table -> GuestCommands.add(table, embedded));
        synchronized (this) {
            if (!closed) {
                servers.add(server);
                return server.address();
            }
        }
        server.close();
        throw new IOException("the endpoint has ended");
    }

    /** Ends everything, whatever the endpoint holds, and removes the sockets. Again it only waits until that is done. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        endpoint.close();
        servers.forEach(EndpointQmp::close);
    }
}
