// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.guest.ChurnGuest;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Sees to it that at most one of two ends runs the guest: asked whenever either end starts it, and by {@link #check} whenever the test wants. Reads the guests' own threads and
 * counters, not what the endpoints say of them.
 */
final class OneGuest {
    private final ChurnGuest source;
    private final ChurnGuest destination;
    private final Diary src;
    private final Diary dst;
    private final List<String> violations = new CopyOnWriteArrayList<>();
    private long writtenAtSource = -1;

    OneGuest(ChurnGuest source, ChurnGuest destination, Diary src, Diary dst) {
        this.source = source;
        this.destination = destination;
        this.src = src;
        this.dst = dst;
    }

    /** Looks each time that this end starts its guest, on the loop that does it: nothing can come in between. */
    EndpointListener watching(String end) {
        return new EndpointListener() {
            @Override
            public void guestResumed() {
                if (source.isRunning() && destination.isRunning()) {
                    violations.add("both guests run, the " + end + " was the second: " + src + ", " + dst);
                }
            }
        };
    }

    /** Between two calls with the guest at the destination, no page may have been written at the source. */
    void check() {
        // The destination first: a guest that is there can never be at the source again, so the order makes this exact.
        boolean there = destination.isRunning();
        boolean here = source.isRunning();
        long written = source.stats().pagesWritten();
        if (there && here) {
            violations.add("both guests run: " + src + ", " + dst);
        }
        if (there && writtenAtSource >= 0 && written != writtenAtSource) {
            violations.add("the source's guest wrote " + (written - writtenAtSource)
                    + " pages while the destination's ran: " + src + ", " + dst);
        }
        writtenAtSource = there ? written : -1;
        assertThat(violations).isEmpty();
    }
}
