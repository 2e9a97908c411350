// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.Link.Side;
import io.godwit.net.Connection;
import io.godwit.pump.Outbox;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An endpoint's connections, and how the ones that are over are seen off: what is left is written, then the peer's end is awaited for a moment. Used by the loop only. */
final class Links {
    private static final long LEAVE_NANOS = 2_000_000_000L;
    private static final int SPARE_BUFFERS = 4;
    private static final int FAREWELL_READS = 8;

    private final Map<Integer, Link> links = new HashMap<>();
    private final ArrayDeque<ByteBuffer> spare = new ArrayDeque<>();
    private Link @Nullable [] snapshot;
    private int lastId;

    Link add(Connection connection, Side side) {
        ByteBuffer in = spare.poll();
        Link link =
                new Link(++lastId, connection, side, in == null ? ByteBuffer.allocateDirect(Link.BUFFER) : in.clear());
        connection.attach(link);
        links.put(link.id, link);
        snapshot = null;
        return link;
    }

    @Nullable
    Link get(int id) {
        return links.get(id);
    }

    /** The connection's link, or null if nothing is wanted of it any more. */
    static @Nullable Link of(Connection connection) {
        return connection.attachment() instanceof Link link ? link : null;
    }

    List<Link> all() {
        return List.copyOf(links.values());
    }

    /** Those that are there now, in an array that is made anew only when they change. */
    Link[] now() {
        Link[] current = snapshot;
        if (current == null) {
            current = links.values().toArray(new Link[0]);
            snapshot = current;
        }
        return current;
    }

    /** Nothing more of this one is heard or said. */
    void forget(Link link) {
        if (links.remove(link.id) != null) {
            snapshot = null;
            link.connection.attach(null);
            if (spare.size() < SPARE_BUFFERS) {
                spare.add(link.in);
            }
        }
    }

    /** Whether the end of its stream says that what was written has come to where it should. */
    boolean confirms(int id) {
        Link link = links.get(id);
        return link != null && link.connection.confirms();
    }

    /** Everything is written. */
    void endOutput(int id) {
        Link link = links.get(id);
        if (link != null && !link.outputShut) {
            link.outputShut = true;
            link.connection.shutdownOutput();
        }
    }

    void abort(int id, String reason) {
        Link link = links.get(id);
        if (link != null) {
            forget(link);
            link.connection.abort(reason);
        }
    }

    /** Writes the rest, then says that no more will come, then waits for the peer to end. */
    void leave(int id, Outbox rest, long now) {
        Link link = links.get(id);
        if (link != null) {
            link.side = Side.LEAVING;
            link.rest = rest;
            link.leaveBy = now + LEAVE_NANOS;
            seeOff(link, now);
        }
    }

    /** A leaving connection can go on, or has had its time. */
    void seeOff(Link link, long now) {
        Outbox rest = link.rest;
        if (rest != null && !link.outputShut) {
            write(link.connection, rest);
            if (rest.pending() == 0) {
                link.outputShut = true;
                link.connection.shutdownOutput();
            }
        }
        // What a peer goes on sending is read away, but not for as long as it likes: others have their turn.
        int bytes = 1;
        for (int reads = 0; bytes > 0 && reads < FAREWELL_READS; reads++) {
            bytes = link.connection.read(link.in.clear());
        }
        boolean ended = bytes < 0;
        if ((ended && link.outputShut) || now >= link.leaveBy || !link.connection.isOpen()) {
            forget(link);
            link.connection.close();
        }
    }

    /** Those that leave: when the first of them has had its time. */
    long nextLeave() {
        long next = Long.MAX_VALUE;
        for (Link link : now()) {
            next = Math.min(next, link.leaveBy);
        }
        return next;
    }

    void expire(long now) {
        for (Link link : new ArrayList<>(links.values())) {
            if (link.leaveBy <= now) {
                seeOff(link, now);
            }
        }
    }

    /** Hands to the kernel what it takes. */
    static void write(Connection connection, Outbox box) {
        ByteBuffer head;
        while ((head = box.head()) != null) {
            int bytes = connection.write(head);
            if (bytes <= 0) {
                break;
            }
            box.advance(bytes);
        }
        // Not what waits for its time in the outbox: nothing would come of it.
        connection.wantWrite(head != null);
    }
}
