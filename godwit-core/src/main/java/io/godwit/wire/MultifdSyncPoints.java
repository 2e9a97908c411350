// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

/**
 * Finds the sync points in a main channel that was decoded from its header on: there each multifd channel must have delivered one {@link
 * MultifdMessage.Sync}, and may then go on ({@code spec/multifd.md §5}).
 *
 * <p>Sources with machine types from 8.1 on say MULTIFD_FLUSH; for older ones, and every 7.2, each end-of-records word is a sync point and nothing
 * tells so. START, which always holds a sync point, shows which it is: a MULTIFD_FLUSH or none. One thread.
 */
public final class MultifdSyncPoints {
    private boolean flushWords;

    /** Of a main channel whose header was not decoded yet. */
    public MultifdSyncPoints() {}

    /** Whether the main channel's next message is a sync point. Each message is to be shown once, in order; page records need not be. */
    public boolean isSyncPoint(StreamMessage message) {
        if (message instanceof StreamMessage.MultifdFlush) {
            flushWords = true;
            return true;
        }
        return message instanceof StreamMessage.EndOfRecords && !flushWords;
    }
}
