// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.demo.Happening.Entry;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything that is known of the run: what happened, in order, and the latest figures of both ends. Whoever waits for something waits here and is woken
 * by what happens. Thread-safe.
 */
final class Board {
    /** No recovery and no fault of this scenario may lead there. */
    private static final Set<String> NEVER = Set.of("failed", "cancelled", "uncertain");

    private final LongSupplier clock;
    private final long start;
    private final List<Entry> entries = new ArrayList<>();
    private final Map<Side, List<Happening.Status>> statuses = new EnumMap<>(Side.class);
    private final Map<Side, List<Long>> times = new EnumMap<>(Side.class);
    private final Map<Side, Boolean> runs = new EnumMap<>(Side.class);
    private final Map<Side, JsonObject> migration = new EnumMap<>(Side.class);
    private final Map<Side, JsonObject> guest = new EnumMap<>(Side.class);
    private final Map<Side, String> titles = new EnumMap<>(Side.class);
    private @Nullable String broken;

    /** @param clock monotonic nanoseconds */
    Board(LongSupplier clock) {
        this.clock = clock;
        this.start = clock.getAsLong();
        forget();
        for (Side side : Side.values()) {
            titles.put(side, side.toString());
        }
    }

    private void forget() {
        for (Side side : Side.values()) {
            statuses.put(side, new ArrayList<>());
            times.put(side, new ArrayList<>());
            runs.put(side, false);
            migration.put(side, Json.object());
            guest.put(side, Json.object());
        }
    }

    /** Another migration begins, between other ends: nothing is known of them yet. What has happened stays on the timeline. */
    synchronized void begin(String source, String destination) {
        forget();
        titles.put(Side.SOURCE, source);
        titles.put(Side.DESTINATION, destination);
        notifyAll();
    }

    /** Who it is that has this part now. */
    synchronized String title(Side side) {
        return get(titles, side);
    }

    /** Nanoseconds since the demo began. */
    long now() {
        return clock.getAsLong() - start;
    }

    synchronized void add(Happening happening) {
        long now = now();
        entries.add(new Entry(now, happening));
        if (happening instanceof Happening.Status status) {
            get(statuses, status.side()).add(status);
            get(times, status.side()).add(now);
            if (NEVER.contains(status.status())) {
                broken = "the " + status.side() + " is in " + status.status() + ": " + status.reason();
            }
        } else if (happening instanceof Happening.GuestRuns(Side side, boolean on)) {
            runs.put(side, on);
        }
        notifyAll();
    }

    synchronized void figures(Side side, JsonObject queryMigrate, JsonObject guestStats) {
        migration.put(side, queryMigrate);
        guest.put(side, guestStats);
        notifyAll();
    }

    /** Nothing can go on as it must: ends all waits, unless another reason came first. */
    synchronized void fail(String why) {
        if (broken == null) {
            broken = why;
        }
        notifyAll();
    }

    /** The entries from the given one on. */
    synchronized List<Entry> entriesFrom(int first) {
        return List.copyOf(entries.subList(first, entries.size()));
    }

    /** Waits until there are entries from the given one on, at most so long, and returns them. For who shows them: does not end when the run fails. */
    synchronized List<Entry> awaitEntries(int first, long millis) {
        long end = clock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (long left = end - clock.getAsLong(); left > 0 && entries.size() <= first; left = end - clock.getAsLong()) {
            try {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts", e);
            }
        }
        return entriesFrom(first);
    }

    /** What query-migrate said last. */
    synchronized JsonObject migration(Side side) {
        return get(migration, side);
    }

    /** What x-godwit-guest-stats said last. */
    synchronized JsonObject guest(Side side) {
        return get(guest, side);
    }

    synchronized boolean runs(Side side) {
        return get(runs, side);
    }

    synchronized String status(Side side) {
        List<Happening.Status> seen = get(statuses, side);
        return seen.isEmpty() ? "none" : seen.getLast().status();
    }

    synchronized String reason(Side side) {
        List<Happening.Status> seen = get(statuses, side);
        return seen.isEmpty() ? "" : seen.getLast().reason();
    }

    /** A place in what was seen of one end. */
    synchronized int mark(Side side) {
        return get(statuses, side).size();
    }

    /** Whether the end has been in that status since the mark. */
    synchronized boolean seen(Side side, int mark, String status) {
        return time(side, mark, status) >= 0;
    }

    /** The statuses of an end since the mark, in order. */
    synchronized List<String> path(Side side, int mark) {
        List<Happening.Status> seen = get(statuses, side);
        return seen.subList(mark, seen.size()).stream()
                .map(Happening.Status::status)
                .toList();
    }

    /** When the end first was in that status since the mark, as {@link #now}; -1 if it was not. */
    synchronized long time(Side side, int mark, String status) {
        List<Happening.Status> seen = get(statuses, side);
        for (int i = mark; i < seen.size(); i++) {
            if (seen.get(i).status().equals(status)) {
                return get(times, side).get(i);
            }
        }
        return -1;
    }

    /** Waits until the end is in that status. */
    void await(Side side, String status, Duration deadline) throws DemoFailed {
        await("the " + side + " reaches " + status, deadline, () -> status(side).equals(status));
    }

    /** Waits until the end has been in that status since the mark; returns when that was. */
    long awaitSince(Side side, int mark, String status, Duration deadline) throws DemoFailed {
        await("the " + side + " comes to " + status, deadline, () -> seen(side, mark, status));
        return time(side, mark, status);
    }

    /**
     * Waits until the condition, which looks at this board, is met.
     *
     * @param what the condition as "the source reaches active"
     */
    void await(String what, Duration deadline, BooleanSupplier met) throws DemoFailed {
        if (!awaitQuietly(deadline, met)) {
            throw new DemoFailed("it was awaited that " + what + ", and that did not come within "
                    + deadline.toMillis() + " ms: the source is in " + status(Side.SOURCE) + ", the destination in "
                    + status(Side.DESTINATION));
        }
    }

    /** Lets time pass; ends early only if the run fails. */
    void pass(Duration time) throws DemoFailed {
        if (awaitQuietly(time, () -> false)) {
            throw new IllegalStateException("the impossible has happened");
        }
    }

    /** As {@link #await}; false if the time is over. */
    synchronized boolean awaitQuietly(Duration deadline, BooleanSupplier met) throws DemoFailed {
        long end = clock.getAsLong() + deadline.toNanos();
        while (true) {
            if (broken != null) {
                throw new DemoFailed(broken);
            }
            if (met.getAsBoolean()) {
                return true;
            }
            long left = end - clock.getAsLong();
            if (left <= 0) {
                return false;
            }
            try {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            } catch (InterruptedException e) {
                throw new DemoFailed("the demo was interrupted", e);
            }
        }
    }

    private static <T> T get(Map<Side, T> map, Side side) {
        T value = map.get(side);
        if (value == null) {
            throw new IllegalStateException("nothing about the " + side);
        }
        return value;
    }
}
