// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.Link.Side;
import io.godwit.net.Connection;
import io.godwit.net.Handler;
import io.godwit.net.Listener;
import io.godwit.net.MigrationAddress;
import io.godwit.net.TlsClient;
import io.godwit.pump.DestinationSession;
import io.godwit.pump.Outbox;
import io.godwit.pump.SourceSession;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** An endpoint's bytes on their way between its connections and its sessions, and what becomes of a connection. Used by the loop only. */
final class Traffic implements Handler {
    /** SO_SNDBUF of a channel on which urgent pages may have to wait behind others. */
    private static final int SHALLOW = 256 * 1024;
    /**
     * SO_SNDBUF of a unix socket that pages leave by. What the system gives it by itself holds 208 KiB, and whoever waits for room is woken once three quarters of it are free: a peer that takes
     * 2 GB/s has taken the rest before a thread is awake. A tcp connection's grows by itself. {@code net.core.wmem_max} may be a limit below.
     */
    private static final int DEEP = 512 * 1024;

    /** Bytes read at once by a destination in postcopy. */
    private static final int POSTCOPY_READ = 64 * 1024;

    private final EndpointLoop loop;
    private final ArrayDeque<Integer> again = new ArrayDeque<>();

    Traffic(EndpointLoop loop) {
        this.loop = loop;
    }

    /** Bytes that were left for later, and have their time now. */
    void deliverHeld() {
        while (!again.isEmpty()) {
            Link held = loop.links.get(again.remove());
            if (held != null) {
                deliver(held);
            }
        }
    }

    /** Hands to the kernel what it takes, of all channels. */
    void write(long now) {
        for (Link link : loop.links.now()) {
            write(link, now);
        }
    }

    private void write(Link link, long now) {
        Outbox box = outbox(link);
        if (!link.established || box == null || box.pending() == 0) {
            return;
        }
        long before = box.written();
        Links.write(link.connection, box);
        SourceSession out = loop.source;
        if (link.side == Side.SOURCE && out != null && box.written() != before) {
            out.written(link.id, now);
        }
    }

    private @Nullable Outbox outbox(Link link) {
        SourceSession out = loop.source;
        DestinationSession in = loop.destination;
        return switch (link.side) {
            case SOURCE -> out == null ? null : out.outbox(link.id);
            case DESTINATION -> in == null ? null : in.outbox(link.id);
            case LEAVING -> null;
        };
    }

    /** Begins to connect for the source; the main channel's bytes go first. */
    int connect(MigrationAddress target, @Nullable TlsClient tls) {
        for (Link link : loop.links.all()) {
            if (link.side == Side.SOURCE) {
                write(link, loop.now());
            }
        }
        return loop.links.add(loop.reactor.connect(target, tls), Side.SOURCE).id;
    }

    /** Its kernel queue is kept short from now on. */
    void keepShallow(int id) {
        Link link = loop.links.get(id);
        if (link != null && link.established) {
            link.connection.setSendBuffer(SHALLOW);
        }
    }

    /** Bytes that were left for later may have their time now. */
    void again(int id) {
        again.add(id);
        loop.reactor.wakeup();
    }

    @Override
    public void accepted(Listener listener, Connection connection) {
        DestinationSession in = loop.destination;
        if (in == null) {
            connection.abort("no migration is awaited");
            return;
        }
        arrived(loop.links.add(connection, Side.DESTINATION));
    }

    /** Begins to open what is no socket, for the destination. */
    void receive(MigrationAddress.Local from) {
        loop.links.add(loop.reactor.receive(from), Side.DESTINATION);
    }

    private void arrived(Link link) {
        DestinationSession in = loop.destination;
        if (in != null) {
            link.established = true;
            in.accepted(link.id, link.connection.peer(), loop.now());
        }
    }

    @Override
    public void connected(Connection connection) {
        Link link = Links.of(connection);
        SourceSession out = loop.source;
        if (link != null && link.side == Side.DESTINATION) {
            arrived(link);
        } else if (link != null && out != null) {
            link.established = true;
            if (connection.isUnix()) {
                connection.setSendBuffer(DEEP);
            }
            out.connected(link.id, loop.now());
        }
    }

    @Override
    public void connectFailed(Connection connection, String reason) {
        broken(connection, reason);
    }

    @Override
    public void broken(Connection connection, String reason) {
        Link link = Links.of(connection);
        if (link != null) {
            loop.links.forget(link);
            lost(link, reason);
        }
    }

    /** What the destination receives from is no socket, and nothing else will come. */
    void onlyOneLost(int link, String reason) {
        DestinationSession in = loop.destination;
        if (in != null) {
            in.onlyOneLost(link, reason, loop.now());
        }
    }

    /** A channel is gone: its session is told. */
    void lost(Link link, String reason) {
        SourceSession out = loop.source;
        DestinationSession in = loop.destination;
        if (link.side == Side.SOURCE && out != null) {
            out.broken(link.id, reason, loop.now());
        } else if (link.side == Side.DESTINATION && in != null) {
            if (link.connection.confirms()) {
                in.onlyOneLost(link.id, reason, loop.now());
            } else {
                in.broken(link.id, reason, loop.now());
            }
        }
    }

    @Override
    public void writable(Connection connection) {
        Link link = Links.of(connection);
        if (link == null) {
            return;
        }
        if (link.side == Side.LEAVING) {
            loop.links.seeOff(link, loop.now());
        } else {
            write(link, loop.now());
        }
    }

    @Override
    public void acceptFailed(Listener listener, String reason) {
        loop.tell(each -> each.notice(reason));
    }

    @Override
    public void refused(Listener listener, String reason) {
        DestinationSession in = loop.destination;
        if (in != null) {
            in.stray();
        }
        loop.tell(each -> each.notice(reason));
    }

    @Override
    public void readable(Connection connection) {
        Link link = Links.of(connection);
        if (link == null) {
            return;
        }
        if (link.side == Side.LEAVING) {
            loop.links.seeOff(link, loop.now());
            return;
        }
        int bytes = read(link);
        deliver(link);
        DestinationSession in = loop.destination;
        if (bytes < 0 && link.side == Side.DESTINATION && in != null) {
            in.ended(link.id, loop.now());
        }
        SourceSession out = loop.source;
        boolean awaited = bytes < 0 && link.side == Side.SOURCE && out != null && out.ended(link.id, loop.now());
        // One that was let go of at its end is seen off by whatever waits in it.
        if (bytes < 0 && !awaited && link.side != Side.LEAVING && Links.of(connection) == link) {
            loop.links.forget(link);
            lost(link, connection.confirms() ? connection.peer() + " has ended" : connection.endWords());
            connection.close();
        }
    }

    /**
     * Reads once. While a guest may wait for a page, little at a time: its requests go out, and the preempt channel is looked at, between two reads.
     */
    private int read(Link link) {
        DestinationSession in = loop.destination;
        if (link.side == Side.DESTINATION && in != null && in.machine().requests()) {
            link.in.limit(Math.min(link.in.capacity(), link.in.position() + POSTCOPY_READ));
        }
        int bytes = link.connection.read(link.in);
        link.in.limit(link.in.capacity());
        return bytes;
    }

    private void deliver(Link link) {
        link.in.flip();
        SourceSession out = loop.source;
        DestinationSession in = loop.destination;
        if (link.side == Side.SOURCE && out != null) {
            out.received(link.id, link.in, loop.now());
        } else if (link.side == Side.DESTINATION && in != null) {
            in.received(link.id, link.in, loop.now());
        }
        link.in.compact();
        boolean waits = link.side == Side.DESTINATION && in != null && in.waits(link.id);
        boolean held = waits || !link.in.hasRemaining();
        if (held != link.held && Links.of(link.connection) == link) {
            link.held = held;
            link.connection.wantRead(!held);
        }
    }
}
