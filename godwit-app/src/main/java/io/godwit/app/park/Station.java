// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import io.godwit.app.term.EndpointOptions;
import io.godwit.app.term.StatusLines;
import io.godwit.engine.Endpoint;
import io.godwit.engine.EndpointListener;
import io.godwit.engine.MigrationInfo;
import io.godwit.engine.StoredGuest;
import io.godwit.protocol.MigrationStatus;
import io.godwit.qmp.EndpointQmp;
import io.godwit.qmp.QmpAccess;
import io.godwit.store.StoreState;
import io.godwit.store.VmStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;

/** A VM's folder, its endpoint and its QMP servers, from the first to the last; and what happens there, in a queue. Every method may be called from any thread. */
final class Station implements AutoCloseable {
    private final VmStore store;
    private final Endpoint endpoint;
    private final StatusLines lines;
    private final List<EndpointQmp> servers = new ArrayList<>();
    private final LinkedBlockingQueue<Happening> happenings = new LinkedBlockingQueue<>();
    private boolean closed;

    private Station(VmStore store, Endpoint endpoint, StatusLines lines) {
        this.store = store;
        this.endpoint = endpoint;
        this.lines = lines;
    }

    /** Takes the store over, also if it throws. */
    static Station open(
            String name,
            VmStore store,
            StoredGuest.Terms terms,
            boolean unsafe,
            EndpointOptions options,
            StatusLines lines)
            throws IOException {
        StoredGuest guest = new StoredGuest(store, Clock.systemUTC(), terms);
        Station station = null;
        try {
            Endpoint endpoint = Endpoint.parking(name, guest, unsafe, System::nanoTime, new Random());
            station = new Station(store, endpoint, lines);
            endpoint.addListener(lines);
            endpoint.addListener(station.new Ear());
            Station made = station;
            station = null;
            made.serve(options);
            return made;
        } finally {
            if (station != null) {
                station.close();
            }
        }
    }

    private void serve(EndpointOptions options) throws IOException {
        boolean done = false;
        try {
            for (QmpAccess server : options.servers()) {
                servers.add(EndpointQmp.serve(server, endpoint));
            }
            done = true;
        } finally {
            if (!done) {
                close();
            }
        }
    }

    private final class Ear implements EndpointListener {
        @Override
        public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
            happenings.add(new Happening.Changed());
        }

        @Override
        public void shutdown(String reason) {
            happenings.add(new Happening.Changed());
        }
    }

    Endpoint endpoint() {
        return endpoint;
    }

    VmStore store() {
        return store;
    }

    StatusLines lines() {
        return lines;
    }

    List<String> served() {
        return servers.stream().map(server -> server.address().toString()).toList();
    }

    /** What the endpoint says, or null if it has been ended, say by its QMP. */
    @Nullable
    MigrationInfo info() {
        try {
            return endpoint.info();
        } catch (IllegalStateException e) {
            return null;
        }
    }

    /** Whether its channels are to speak TLS; false if it has been ended. */
    boolean enciphers() {
        try {
            return endpoint.parameters().tls().on();
        } catch (IllegalStateException e) {
            return false;
        }
    }

    Path folder() {
        return store.folder();
    }

    /** What the manifest says, or null if there is none. */
    @Nullable
    StoreState state() {
        var manifest = store.manifest();
        return manifest == null ? null : manifest.state();
    }

    /** Ctrl-C and the like become happenings from now on. */
    void listenToSignals() {
        for (String name : List.of("TERM", "INT", "HUP")) {
            Signals.register(name, () -> happenings.add(new Happening.Signalled("SIG" + name)));
        }
    }

    /** The next thing that happens, or null if nothing does in so many milliseconds. */
    @Nullable
    Happening next(long millis) {
        try {
            return happenings.poll(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts here", e);
        }
    }

    /** Ends everything. What is in the store is durable then, and says what it is. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            // How it ends is told by whoever ends it.
            endpoint.removeListener(lines);
            endpoint.close();
            servers.forEach(EndpointQmp::close);
        }
    }
}
