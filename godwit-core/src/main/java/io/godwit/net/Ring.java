// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.nio.ByteBuffer;

/**
 * A bounded queue of bytes of which each may be given a time before which it is not released. One direct buffer, reused
 * in a circle; no allocation after the start.
 */
final class Ring {
    /** So many different times are kept apart; what comes beyond is released with the last of them. */
    private static final int MARKS = 4096;

    private final ByteBuffer bytes;
    private final int capacity;

    /** Bytes ever filled in and ever drained. */
    private long filled;

    private long drained;

    // A circle of its own: up to markEnd[i] (counted as filled is) nothing is released before markTime[i].
    private final long[] markEnd = new long[MARKS];
    private final long[] markTime = new long[MARKS];
    private int firstMark;
    private int marks;

    Ring(int capacity) {
        this.capacity = capacity;
        this.bytes = ByteBuffer.allocateDirect(capacity);
    }

    boolean isEmpty() {
        return filled == drained;
    }

    int room() {
        return capacity - (int) (filled - drained);
    }

    /** Throws everything away; returns how much that was. */
    long clear() {
        long count = filled - drained;
        filled = 0;
        drained = 0;
        marks = 0;
        return count;
    }

    /** Where to read into: the free part up to the end of the circle; empty if there is none. */
    ByteBuffer roomSlice(int most) {
        if (isEmpty()) {
            clear(); // from the start again: what is used most stays small and in the cache
        }
        int at = (int) (filled % capacity);
        int length = Math.min(most, Math.min(room(), capacity - at));
        return bytes.limit(at + length).position(at);
    }

    /** So many bytes were put there and are released at this time, given as {@link System#nanoTime()}. */
    void filled(int count, long releaseAt) {
        if (count == 0) {
            return;
        }
        filled += count;
        int last = (firstMark + marks - 1 + MARKS) % MARKS;
        if (marks > 0 && (marks == MARKS || markTime[last] - releaseAt >= 0)) {
            markEnd[last] = filled;
            markTime[last] = Math.max(markTime[last], releaseAt);
            return;
        }
        int next = (firstMark + marks) % MARKS;
        markEnd[next] = filled;
        markTime[next] = releaseAt;
        marks++;
    }

    /** How many bytes may leave now. */
    int released(long now) {
        long upTo = drained;
        for (int i = 0; i < marks; i++) {
            int mark = (firstMark + i) % MARKS;
            if (markTime[mark] - now > 0) {
                break;
            }
            upTo = markEnd[mark];
        }
        return (int) (upTo - drained);
    }

    /** Nanoseconds until some byte may leave; 0: one may now. */
    long nextRelease(long now) {
        return marks == 0 ? 0 : Math.max(0, markTime[firstMark] - now);
    }

    /** The first of the released bytes, at most so many, up to the end of the circle. */
    ByteBuffer releasedSlice(int most) {
        int at = (int) (drained % capacity);
        return bytes.limit(at + Math.min(most, capacity - at)).position(at);
    }

    /** So many of them have left. */
    void drained(int count) {
        drained += count;
        while (marks > 0 && markEnd[firstMark] <= drained) {
            firstMark = (firstMark + 1) % MARKS;
            marks--;
        }
    }
}
