// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.page.PageBitmap;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** The simplest thing that does what a {@link PageScheduler} does: all pages in one row, a queue, and a finger on the row. */
final class PageSchedulerModel {
    private final long[] lengths;
    private final int[] begins;
    private final int total;
    private final Deque<Integer> queue = new ArrayDeque<>();
    /** By {@link #flat}. */
    BitSet dirty = new BitSet();

    private @Nullable BitSet never;
    private int finger;

    PageSchedulerModel(long[] lengths) {
        this.lengths = lengths;
        begins = new int[lengths.length];
        int sum = 0;
        for (int b = 0; b < lengths.length; b++) {
            begins[b] = sum;
            sum += (int) lengths[b];
        }
        total = sum;
    }

    int flat(int block, long page) {
        return begins[block] + (int) page;
    }

    private long address(int flat) {
        int block = lengths.length - 1;
        while (begins[block] > flat) {
            block--;
        }
        return PageScheduler.address(block, flat - begins[block]);
    }

    void markAll() {
        dirty.set(0, total);
        never = null;
        queue.clear();
        finger = 0;
    }

    void restart(PageBitmap[] received) {
        queue.clear();
        if (never == null) {
            never = (BitSet) dirty.clone();
        } else {
            never.and(dirty);
        }
        dirty = new BitSet();
        for (int flat = 0; flat < total; flat++) {
            long address = address(flat);
            dirty.set(flat, !received[PageScheduler.block(address)].get(PageScheduler.page(address)));
        }
    }

    boolean request(int block, long page) {
        int flat = flat(block, page);
        if (!dirty.get(flat) || queue.contains(flat)) {
            return false;
        }
        queue.add(flat);
        return true;
    }

    boolean hasUrgent() {
        while (!queue.isEmpty() && !dirty.get(queue.element())) {
            queue.remove();
        }
        return !queue.isEmpty();
    }

    long takeUrgent() {
        return hasUrgent() ? take(queue.remove()) : PageScheduler.NONE;
    }

    long takeBackground() {
        int ahead = dirty.nextSetBit(finger);
        int next = ahead >= 0 ? ahead : dirty.nextSetBit(0);
        return next < 0 ? PageScheduler.NONE : take(next);
    }

    private long take(int flat) {
        dirty.clear(flat);
        finger = flat + 1;
        return address(flat);
    }

    long firstFalseClaim(int block, PageBitmap claims) {
        for (long page = 0; page < lengths[block]; page++) {
            int flat = flat(block, page);
            if (claims.get(page) && dirty.get(flat) && (never == null || never.get(flat))) {
                return page;
            }
        }
        return -1;
    }
}
