// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.page.Pages;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the demonstration is to do, and what follows from it.
 *
 * @param size of the guest's memory in bytes
 * @param writers threads of the guest that write
 * @param rate pages per second that they write together, 0 for all they can
 * @param failures recoveries that are made to fail
 * @param faults what they fail by, in turn; empty: the usual list, then drawn from the seed
 * @param seed chooses the guest's contents and the faults that are drawn
 * @param deadlineMillis the handshake's deadline where it is to end a recovery
 * @param dwellMillis for how long a phase is left alone, to be looked at
 * @param preempt whether a channel of its own carries requested pages
 * @param qemu whose virtual machine is the guest; null: it is the embedded one, and writers and rate count
 */
record Settings(
        long size,
        int writers,
        long rate,
        int failures,
        List<Fault> faults,
        long seed,
        long deadlineMillis,
        long dwellMillis,
        boolean preempt,
        @Nullable Virtualization qemu) {
    static final long LEAST_SIZE = 16L << 20;

    /** Readers of cold pages: who waits when a page is missing. */
    static final int READERS = 2;

    /** Share of pages that are written once, in percent; a tenth stays zero. */
    private static final int WRITTEN = 90;

    private static final int MOST_HOT = 10;
    private static final long WHOLE = 100;
    private static final long MOST_READS = 400;

    /** In which the limits below would move the whole memory, in seconds. */
    private static final long PRECOPY_SECONDS = 4;

    private static final long POSTCOPY_SECONDS = 40;
    private static final long MOST_HANG_MILLIS = 300;
    private static final long READ_SECONDS = 60;

    /** With the embedded guest. */
    Settings(
            long size,
            int writers,
            long rate,
            int failures,
            List<Fault> faults,
            long seed,
            long deadlineMillis,
            long dwellMillis,
            boolean preempt) {
        this(size, writers, rate, failures, faults, seed, deadlineMillis, dwellMillis, preempt, null);
    }

    Settings {
        faults = List.copyOf(faults);
    }

    /**
     * Share of the pages that are written all the time, in percent. Half a second's writes: after a short while in postcopy the writers have all their pages,
     * and go on whatever the network does.
     */
    int hotPercent() {
        long perSecond = rate == 0 ? Long.MAX_VALUE / WHOLE : rate;
        return Math.clamp(perSecond / 2 * WHOLE / (size >> Pages.SHIFT), 1, MOST_HOT);
    }

    int coldPercent() {
        return WRITTEN - hotPercent();
    }

    long hotPages() {
        return (size >> Pages.SHIFT) * hotPercent() / WHOLE;
    }

    /** Pages per second that the readers touch: so few that most are still missing when the channel breaks. */
    long readRate() {
        return Math.clamp((size >> Pages.SHIFT) / READ_SECONDS, 10, MOST_READS);
    }

    /** So slow that precopy can be watched. */
    long precopyBandwidth() {
        return size / PRECOPY_SECONDS;
    }

    /** So slow that there is something left to break. */
    long postcopyBandwidth() {
        return size / POSTCOPY_SECONDS;
    }

    /** How long both ends are seen to hang in a handshake that nobody ends. */
    Duration hang() {
        return Duration.ofMillis(Math.min(dwellMillis, MOST_HANG_MILLIS));
    }

    Duration dwell() {
        return Duration.ofMillis(dwellMillis);
    }

    /** How long a state may take to come that comes at once on a good day. */
    Duration patience() {
        return Duration.ofSeconds(30);
    }

    /** How long the whole memory may take to be filled, moved or compared. */
    Duration patienceForAll() {
        return patience().plusSeconds(size >> 24);
    }

    Json toJson() {
        JsonObject.Builder json = JsonObject.builder().put("size", size);
        Virtualization virtual = qemu;
        if (virtual == null) {
            json.put("writers", writers).put("rate", rate);
        } else {
            json.put("guest", "qemu").put("qemu", virtual.emulator().series());
        }
        return json.put("failures", failures)
                .put(
                        "faults",
                        new JsonArray(faults.stream()
                                .<Json>map(fault -> Json.of(fault.toString()))
                                .toList()))
                .put("seed", seed)
                .put("deadline-ms", deadlineMillis)
                .put("dwell-ms", dwellMillis)
                .put("preempt", preempt)
                .build();
    }
}
