// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * What other threads have for a reactor's handler. Each piece of news is told by the owner or dropped, exactly once, also if it comes while the reactor closes: then whoever of the two sees it
 * last drops it.
 */
final class PostedNews {
    private final ConcurrentLinkedQueue<Posted> news = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;

    /** Any thread. False if nobody will tell it: it was dropped here or is being dropped by {@link #close}. */
    boolean post(Posted posted) {
        news.add(posted);
        // Only now: a close that was not seen yet finds it in the queue.
        if (closed) {
            drop();
            return false;
        }
        return true;
    }

    boolean isEmpty() {
        return news.isEmpty();
    }

    /** Tells what is there now: news that beget news (a connection being drained) wait for the next round. Owner only; returns how many. */
    int deliver(Handler handler) {
        int count = 0;
        for (int left = news.size(); left > 0; left--) {
            @Nullable Posted next = news.poll();
            if (next == null) {
                break;
            }
            next.deliver(handler);
            count++;
        }
        return count;
    }

    /** Drops what is there and what will come. Owner only; again does nothing. */
    void close() {
        closed = true;
        drop();
    }

    private void drop() {
        Posted next;
        while ((next = news.poll()) != null) {
            next.drop();
        }
    }
}
