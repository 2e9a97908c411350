// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

/** A destination's counters, changed on the loop only; bytes, pages and nanoseconds of the loop's clock. */
public final class DestinationStats {
    long startedAt = -1;
    long startedGuestAt = -1;
    long zeroPages;
    long normalPages;
    long duplicates;
    long requests;
    long recoveries;
    long strays;
    long bytes;
    long multifdBytes;
    private long counted;

    DestinationStats() {}

    /** The current connection has delivered this many bytes so far. */
    void received(long offset) {
        bytes += offset >= counted ? offset - counted : offset;
        counted = offset;
    }

    public long startedAt() {
        return startedAt;
    }

    /** When the guest was started here, or -1. */
    public long startedGuestAt() {
        return startedGuestAt;
    }

    public long zeroPages() {
        return zeroPages;
    }

    public long normalPages() {
        return normalPages;
    }

    /** Pages that were here already and came again. */
    public long duplicates() {
        return duplicates;
    }

    /** Requests sent, repeated ones counted again. */
    public long requests() {
        return requests;
    }

    /** Recovery connections taken up. */
    public long recoveries() {
        return recoveries;
    }

    /** Connections dropped because they were silent, foreign or out of place. */
    public long strays() {
        return strays;
    }

    /** Bytes decoded from main and multifd channels. */
    public long bytes() {
        return bytes + multifdBytes;
    }

    /** Bytes decoded from multifd channels. */
    public long multifdBytes() {
        return multifdBytes;
    }
}
