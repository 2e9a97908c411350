// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** When a process said what, by its own clock: microseconds since 1970. Thread-safe. */
final class EventLog {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(180);

    private record Entry(String what, long micros) {}

    private final String who;
    private final List<Entry> entries = new ArrayList<>();
    private @Nullable String end;

    /** @param who says it, for errors */
    EventLog(String who) {
        this.who = who;
    }

    static long micros(Instant time) {
        return TimeUnit.SECONDS.toMicros(time.getEpochSecond()) + time.getNano() / 1000;
    }

    static long now() {
        return micros(Instant.now());
    }

    synchronized void note(String what, long micros) {
        entries.add(new Entry(what, micros));
        notifyAll();
    }

    /** Nothing more will come. */
    synchronized void ended(String how) {
        end = how;
        notifyAll();
    }

    /** Forgets what was said so far. */
    synchronized void clear() {
        entries.clear();
    }

    /** When it was said first since the last {@link #clear}; waits for it. */
    synchronized long await(String what) throws BenchFailed {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            for (Entry entry : entries) {
                if (entry.what.equals(what)) {
                    return entry.micros;
                }
                if (entry.what.equals("failed")) {
                    throw new BenchFailed(who + " failed where '" + what + "' was waited for; it said " + said());
                }
            }
            long left = deadline - System.nanoTime();
            if (end != null || left <= 0) {
                throw new BenchFailed(
                        who + " never said '" + what + "' but " + said() + (end == null ? "" : ", and " + end));
            }
            try {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts here", e);
            }
        }
    }

    private String said() {
        return entries.stream().map(Entry::what).toList().toString();
    }
}
