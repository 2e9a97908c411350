// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Caretaker;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.RelayedGround;
import io.godwit.net.FaultPlan;
import io.godwit.net.RelayEvent;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What every round has: its folder, and relay (b), which makes the faults. */
abstract class TortureGround extends RelayedGround {
    private final AtomicLong cuts = new AtomicLong();
    private final AtomicLong lastCut = new AtomicLong();
    private @Nullable Caretaker caretaker;

    TortureGround(Board board) {
        super("godwit-torture-", board);
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
