// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.net.Address;
import io.godwit.protocol.MigrationStatus;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot of a migration for query-migrate; members and units as in {@code spec/qmp.md §4}. Which members are shown in which state is
 * decided by the QMP layer, from {@link #role} and {@link #status}.
 *
 * @param role whether this endpoint is (or was last) source or destination, null if neither
 * @param errorDesc what went wrong last, or null
 * @param totalTimeMillis since the start, or until the end
 * @param downtimeMillis from the guest's stop to the last needed word that it runs, -1 while unknown
 * @param listening addresses listened on
 * @param requests page requests: latency at the destination in nanoseconds
 */
public record MigrationInfo(
        @Nullable Role role,
        MigrationStatus status,
        @Nullable String errorDesc,
        long totalTimeMillis,
        long setupTimeMillis,
        long expectedDowntimeMillis,
        long downtimeMillis,
        Ram ram,
        List<Address> listening,
        Requests requests,
        Extra extra) {

    /** This endpoint's part. */
    public enum Role {
        SOURCE,
        DESTINATION
    }

    /** QEMU's MigrationStats. Bytes, pages and counts as named there; at a destination: what arrived. */
    public record Ram(
            long transferred,
            long remaining,
            long total,
            long duplicate,
            long normal,
            long dirtyPagesRate,
            double mbps,
            long dirtySyncCount,
            long postcopyRequests,
            long pagesPerSecond,
            long precopyBytes,
            long downtimeBytes,
            long postcopyBytes,
            long multifdBytes) {
        public static final Ram NONE = new Ram(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    /**
     * Latency of requested pages at a destination, from the guest's touch to the page in place.
     *
     * @param outstanding asked for and not there yet
     * @param blockedNanos time in which some thread of the guest waited for a page, counted once however many waited
     * @param meanNanos QEMU's postcopy-latency
     * @param distribution counts per power of two of microseconds, QEMU's postcopy-latency-dist: bucket i is [2^i, 2^(i+1)) µs
     */
    public record Requests(
            long count,
            long outstanding,
            long blockedNanos,
            long meanNanos,
            long p50Nanos,
            long p90Nanos,
            long p99Nanos,
            long maxNanos,
            List<Long> distribution) {
        public static final Requests NONE = new Requests(0, 0, 0, 0, 0, 0, 0, 0, List.of());
    }

    /**
     * What QEMU does not have.
     *
     * @param uncertainWhy why the state is uncertain and what was learnt since, or null
     * @param duplicates pages that arrived again after a recovery and were dropped
     * @param recoveriesTried recovery attempts that reached a connection
     * @param strayConnections connections dropped because they were silent, foreign or superseded
     * @param sourceConfirmed at a destination that has completed: whether the source can never run the guest again by itself; a QEMU does, if it missed the
     *     last word of a precopy. Null while that is not decided
     * @param held a channel is kept though the migration is paused: the peer would not survive its end
     */
    public record Extra(
            @Nullable String uncertainWhy,
            long duplicates,
            long recoveriesTried,
            long strayConnections,
            @Nullable Boolean sourceConfirmed,
            boolean held) {
        public static final Extra NONE = new Extra(null, 0, 0, 0, null, false);
    }
}
