// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

/** A source's counters, changed on the loop only; bytes, pages and nanoseconds. */
public final class SourceStats {
    long startedAt = -1;
    long setupDoneAt = -1;
    long endedAt = -1;
    long stoppedAt = -1;
    long handedOverAt = -1;
    long zeroPages;
    long normalPages;
    long differences;
    long differenceBytes;
    long unchangedPages;
    long passes;
    long requests;
    long precopyBytes;
    long downtimeBytes;
    long postcopyBytes;
    long multifdBytes;
    long dirtyPagesPerSecond;
    long recoveries;
    double bytesPerSecond;

    SourceStats() {}

    /** When the migration began, or -1; all times are the loop's clock. */
    public long startedAt() {
        return startedAt;
    }

    /** When the first channel was connected, or -1. */
    public long setupDoneAt() {
        return setupDoneAt;
    }

    /** When it completed, failed or was cancelled, or -1. */
    public long endedAt() {
        return endedAt;
    }

    /** When the guest had stopped, or -1. */
    public long stoppedAt() {
        return stoppedAt;
    }

    /** When the destination was known to have the guest, or -1. */
    public long handedOverAt() {
        return handedOverAt;
    }

    public long zeroPages() {
        return zeroPages;
    }

    /** Pages sent as the difference to what was sent of them before (xbzrle). */
    public long differences() {
        return differences;
    }

    /** Bytes of their records. */
    public long differenceBytes() {
        return differenceBytes;
    }

    /** Pages that were not sent again, because they were as they had been sent (xbzrle). */
    public long unchangedPages() {
        return unchangedPages;
    }

    public long normalPages() {
        return normalPages;
    }

    public long passes() {
        return passes;
    }

    public long requests() {
        return requests;
    }

    public long precopyBytes() {
        return precopyBytes;
    }

    public long downtimeBytes() {
        return downtimeBytes;
    }

    public long postcopyBytes() {
        return postcopyBytes;
    }

    /** Of all these, what went to multifd channels. */
    public long multifdBytes() {
        return multifdBytes;
    }

    public long dirtyPagesPerSecond() {
        return dirtyPagesPerSecond;
    }

    /** Recoveries that reached a connection. */
    public long recoveries() {
        return recoveries;
    }

    /** Measured over the last pass, 0 before that. */
    public double bytesPerSecond() {
        return bytesPerSecond;
    }
}
