// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import io.godwit.app.lab.Happening.Entry;
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
public final class Board {
    private final LongSupplier clock;
    private final Set<String> never;
    private final long start;
    private final List<Entry> entries = new ArrayList<>();
    private final Map<Side, List<Happening.Status>> statuses = new EnumMap<>(Side.class);
    private final Map<Side, List<Long>> times = new EnumMap<>(Side.class);
    private final Map<Side, Boolean> runs = new EnumMap<>(Side.class);
    private final Map<Side, JsonObject> migration = new EnumMap<>(Side.class);
    private final Map<Side, JsonObject> guest = new EnumMap<>(Side.class);
    private final Map<Side, String> titles = new EnumMap<>(Side.class);
    private @Nullable String broken;

    /**
     * An empty one.
     *
     * @param clock monotonic nanoseconds
     * @param never statuses that nothing in this run may lead to
     */
    public Board(LongSupplier clock, Set<String> never) {
        this.clock = clock;
        this.never = Set.copyOf(never);
        this.start = clock.getAsLong();
        forgetBoth();
        for (Side side : Side.values()) {
            titles.put(side, side.toString());
        }
    }

    private void forgetBoth() {
        for (Side side : Side.values()) {
            forget(side);
        }
    }

    /** Another process has that part: nothing is known of it yet. */
    public synchronized void forget(Side side) {
        statuses.put(side, new ArrayList<>());
        times.put(side, new ArrayList<>());
        runs.put(side, false);
        migration.put(side, Json.object());
        guest.put(side, Json.object());
        notifyAll();
    }

    /** Another migration begins, between other ends: nothing is known of them yet. What has happened stays on the timeline. */
    public synchronized void begin(String source, String destination) {
        forgetBoth();
        titles.put(Side.SOURCE, source);
        titles.put(Side.DESTINATION, destination);
        notifyAll();
    }

    /** Who it is that has this part now. */
    public synchronized String title(Side side) {
        return get(titles, side);
    }

    /** Nanoseconds since the run began. */
    public long now() {
        return clock.getAsLong() - start;
    }

    public synchronized void add(Happening happening) {
        long now = now();
        entries.add(new Entry(now, happening));
        if (happening instanceof Happening.Status status) {
            get(statuses, status.side()).add(status);
            get(times, status.side()).add(now);
            if (never.contains(status.status())) {
                broken = "the " + status.side() + " is in " + status.status() + ": " + status.reason();
            }
        } else if (happening instanceof Happening.GuestRuns(Side side, boolean on)) {
            runs.put(side, on);
        }
        notifyAll();
    }

    public synchronized void figures(Side side, JsonObject queryMigrate, JsonObject guestStats) {
        migration.put(side, queryMigrate);
        guest.put(side, guestStats);
        notifyAll();
    }

    /** Nothing can go on as it must: ends all waits, unless another reason came first. */
    public synchronized void fail(String why) {
        if (broken == null) {
            broken = why;
        }
        notifyAll();
    }

    /** The entries from the given one on. */
    public synchronized List<Entry> entriesFrom(int first) {
        return List.copyOf(entries.subList(first, entries.size()));
    }

    /** Waits until there are entries from the given one on, at most so long, and returns them. For who shows them: does not end when the run fails. */
    public synchronized List<Entry> awaitEntries(int first, long millis) {
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
    public synchronized JsonObject migration(Side side) {
        return get(migration, side);
    }

    /** What x-godwit-guest-stats said last. */
    public synchronized JsonObject guest(Side side) {
        return get(guest, side);
    }

    public synchronized boolean runs(Side side) {
        return get(runs, side);
    }

    public synchronized String status(Side side) {
        List<Happening.Status> seen = get(statuses, side);
        return seen.isEmpty() ? "none" : seen.getLast().status();
    }

    public synchronized String reason(Side side) {
        List<Happening.Status> seen = get(statuses, side);
        return seen.isEmpty() ? "" : seen.getLast().reason();
    }

    /** A place in what was seen of one end. */
    public synchronized int mark(Side side) {
        return get(statuses, side).size();
    }

    /** Whether the end has been in that status since the mark. */
    public synchronized boolean seen(Side side, int mark, String status) {
        return time(side, mark, status) >= 0;
    }

    /** The statuses of an end since the mark, in order. */
    public synchronized List<String> path(Side side, int mark) {
        List<Happening.Status> seen = get(statuses, side);
        return seen.subList(mark, seen.size()).stream()
                .map(Happening.Status::status)
                .toList();
    }

    /** When the end first was in that status since the mark, as {@link #now}; -1 if it was not. */
    public synchronized long time(Side side, int mark, String status) {
        List<Happening.Status> seen = get(statuses, side);
        for (int i = mark; i < seen.size(); i++) {
            if (seen.get(i).status().equals(status)) {
                return get(times, side).get(i);
            }
        }
        return -1;
    }

    /** Waits until the end is in that status. */
    public void await(Side side, String status, Duration deadline) throws LabFailed {
        await("the " + side + " reaches " + status, deadline, () -> status(side).equals(status));
    }

    /** Waits until the end has been in that status since the mark; returns when that was. */
    public long awaitSince(Side side, int mark, String status, Duration deadline) throws LabFailed {
        await("the " + side + " comes to " + status, deadline, () -> seen(side, mark, status));
        return time(side, mark, status);
    }

    /**
     * Waits until the condition, which looks at this board, is met.
     *
     * @param what the condition as "the source reaches active"
     */
    public void await(String what, Duration deadline, BooleanSupplier met) throws LabFailed {
        if (!awaitQuietly(deadline, met)) {
            throw new LabFailed("it was awaited that " + what + ", and that did not come within "
                    + deadline.toMillis() + " ms: the source is in " + status(Side.SOURCE) + ", the destination in "
                    + status(Side.DESTINATION));
        }
    }

    /** Lets time pass; ends early only if the run fails. */
    public void pass(Duration time) throws LabFailed {
        if (awaitQuietly(time, () -> false)) {
            throw new IllegalStateException("the impossible has happened");
        }
    }

    /** As {@link #await}; false if the time is over. */
    public synchronized boolean awaitQuietly(Duration deadline, BooleanSupplier met) throws LabFailed {
        long end = clock.getAsLong() + deadline.toNanos();
        while (true) {
            if (broken != null) {
                throw new LabFailed(broken);
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
                throw new LabFailed("the run was interrupted", e);
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
