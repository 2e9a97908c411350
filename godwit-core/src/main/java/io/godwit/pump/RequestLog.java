// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.protocol.PageScheduler;

/**
 * The page requests of the present channel in the order they were sent, so that one that stays unanswered is noticed although other bytes come. A page is requested
 * once per channel, which bounds it by the memory's pages. Used by the loop only; nothing is allocated per request but when it grows.
 */
final class RequestLog {
    private long[] pages = new long[64];
    private long[] times = new long[64];
    private int head;
    private int size;
    private long answeredAt = -1;

    void sent(int block, long page, long now) {
        if (size == pages.length) {
            grow();
        }
        int at = (head + size) % pages.length;
        pages[at] = PageScheduler.address(block, page);
        times[at] = now;
        size++;
    }

    /** A new channel: what was asked for will be asked for again. */
    void clear() {
        size = 0;
        answeredAt = -1;
    }

    /** Looks which of the oldest ones have come. */
    void look(PageSink memory, long now) {
        while (size > 0 && memory.received(PageScheduler.block(pages[head])).get(PageScheduler.page(pages[head]))) {
            head = (head + 1) % pages.length;
            size--;
            answeredAt = now;
        }
    }

    /** Since when a requested page is owed and no requested page has come, or -1 if none is owed. */
    long owedSince() {
        return size == 0 ? -1 : Math.max(times[head], answeredAt);
    }

    private void grow() {
        long[] morePages = new long[pages.length * 2];
        long[] moreTimes = new long[pages.length * 2];
        for (int i = 0; i < size; i++) {
            morePages[i] = pages[(head + i) % pages.length];
            moreTimes[i] = times[(head + i) % pages.length];
        }
        pages = morePages;
        times = moreTimes;
        head = 0;
    }
}
