// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import io.godwit.net.RelayEvent;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** What the relays say; the last of it is kept. Thread-safe. */
public final class RelayLog {
    private static final int MOST_LINES = 10_000;

    private final Board board;
    private final Deque<String> lines = new ArrayDeque<>();

    public RelayLog(Board board) {
        this.board = board;
    }

    public synchronized void add(String relay, RelayEvent event) {
        if (lines.size() == MOST_LINES) {
            lines.remove();
        }
        lines.add("%.6f relay %s %s".formatted(board.now() / 1e9, relay, event));
    }

    public synchronized List<String> tail(int most) {
        return lines.stream().skip(Math.max(0, lines.size() - most)).toList();
    }
}
