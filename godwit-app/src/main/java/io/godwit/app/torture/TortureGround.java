// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Caretaker;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.RelayedGround;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.RelayEvent;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What every round has: its folder, and the network between its ends. */
abstract class TortureGround extends RelayedGround {
    private final AtomicLong cuts = new AtomicLong();
    private final AtomicLong lastCut = new AtomicLong();
    private final boolean netns;
    private @Nullable Caretaker caretaker;
    private @Nullable Network network;
    private @Nullable PacketNetwork packets;

    /** @param netns whether the ends are in network namespaces of their own; else there are relays between them */
    TortureGround(Board board, boolean netns) {
        super("godwit-torture-", board);
        this.netns = netns;
    }

    /**
     * Makes the folder.
     *
     * @param longest name of a socket in it
     */
    final void makeFolder(String longest) throws IOException {
        requireShortPath(longest);
        synchronized (this) {
            requireOpen();
            caretaker = Caretaker.start(folder);
        }
    }

    /**
     * Makes the network; the folder is there.
     *
     * @param both whether a cut ends the connections at both relays
     */
    final void makeNetwork(boolean both) throws IOException {
        if (netns) {
            PacketNetwork made = keep(PacketNetwork.open(board));
            packets = made;
            network = made;
        } else {
            startRelays();
            network = new RelayNetwork(this, both ? List.of(relayB(), relayA()) : List.of(relayB()));
        }
    }

    /** What is between the ends. */
    final Network network() {
        return there(network);
    }

    /** The same, where it is one of packets. */
    final PacketNetwork packets() {
        return there(packets);
    }

    @Override
    public final Address sourceAddress() {
        return packets == null ? super.sourceAddress() : packets.address();
    }

    @Override
    public final Address destinationAddress() {
        return packets == null ? super.destinationAddress() : packets.address();
    }

    /** Sets what relay (b) does. */
    final void fault(String plan) throws IOException {
        board.add(new Happening.Network("relay (b)", "fault: " + plan));
        relayB().setFault(FaultPlan.parse(plan));
    }

    /** How often connections were cut at relay (b), by a word or at a byte. */
    final long cuts() {
        return cuts.get();
    }

    /** When that was last, as {@link Board#now}. */
    final long lastCut() {
        return lastCut.get();
    }

    @Override
    protected final void seen(String relay, RelayEvent event) {
        super.seen(relay, event);
        if (event instanceof RelayEvent.Cut(int connections, String why) && relay.equals("(b)") && connections > 0) {
            lastCut.set(board.now());
            cuts.incrementAndGet();
            board.add(new Happening.Network("relay (b)", "has cut " + connections + ": " + why));
        }
    }

    @Override
    protected final void removeFolder() {
        Caretaker mine;
        synchronized (this) {
            mine = caretaker;
        }
        if (mine != null) {
            mine.close();
        }
    }
}
