// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import java.util.PriorityQueue;

/** What will happen, by time and then by the order in which it was scheduled, and the clock that jumps from one event to the next. One thread. */
final class EventQueue {
    private record Event(long time, long id, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(time, other.time);
            return byTime != 0 ? byTime : Long.compare(id, other.id);
        }
    }

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private long now;
    private long lastId;
    private long done;

    /** Nanoseconds since the world began. */
    long now() {
        return now;
    }

    /** Events that have happened. */
    long done() {
        return done;
    }

    void after(long nanos, Runnable action) {
        events.add(new Event(now + Math.max(0, nanos), ++lastId, action));
    }

    /** When the next event is due, or {@link Long#MAX_VALUE}. */
    long next() {
        Event next = events.peek();
        return next == null ? Long.MAX_VALUE : next.time;
    }

    /** Lets the next event happen; false if there is none. */
    boolean step() {
        Event next = events.poll();
        if (next == null) {
            return false;
        }
        now = next.time;
        done++;
        next.action.run();
        return true;
    }
}
