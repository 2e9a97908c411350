// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.engine.EndpointControl;
import io.godwit.net.Address;
import java.io.IOException;
import java.time.InstantSource;
import java.util.function.Consumer;

/** An endpoint's QMP: its commands served, its events told. Every method may be called from any thread but the endpoint's loop. */
public final class EndpointQmp implements AutoCloseable {
    private final EndpointControl control;
    private final QmpServer server;
    private final EndpointEvents events;

    private EndpointQmp(EndpointControl control, QmpServer server) {
        this.control = control;
        this.server = server;
        this.events = new EndpointEvents(server::broadcast);
    }

    /**
     * Begins to serve; closing ends it, and leaves the endpoint as it is.
     *
     * @throws IOException whose message is a sentence for people
     */
    public static EndpointQmp serve(QmpAccess access, EndpointControl control) throws IOException {
        return serve(access, control, _ -> {});
    }

    /** As {@link #serve(QmpAccess, EndpointControl)}, for this host alone. */
    public static EndpointQmp serve(Address address, EndpointControl control) throws IOException {
        return serve(QmpAccess.local(address), control);
    }

    /** As {@link #serve(QmpAccess, EndpointControl)}; {@code more} adds commands of the embedder's own, say about its guest. */
    public static EndpointQmp serve(QmpAccess access, EndpointControl control, Consumer<CommandTable.Builder> more)
            throws IOException {
        QmpServer server = QmpServer.listen(
                access, EndpointCommands.table(control, more), InstantSource.system(), QmpServer.Limits.DEFAULT);
        EndpointQmp qmp = new EndpointQmp(control, server);
        control.addListener(qmp.events);
        return qmp;
    }

    /** Where it listens; with port 0 asked for, this has the one that the system chose. */
    public Address address() {
        return server.address();
    }

    public QmpServer server() {
        return server;
    }

    @Override
    public void close() {
        control.removeListener(events);
        server.close();
    }
}
