// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What of multifd depends on the machine type, and how a source ends a sync point on the main channel, {@code spec/multifd.md §5}.
 *
 * <p>A sync point separates two passes over RAM: everything that is queued, then a {@linkplain MultifdEncoder#sync SYNC packet} on each channel, then
 * on the main channel {@link #endSyncPoint}. There is one in START behind the block list; one per pass, and one before the last end-of-records word
 * of END, so that no page is under way when the guest starts; where postcopy follows, one in a PART before it. If sync points have no word of their
 * own, the end-of-records word of <em>every</em> section is one, whatever the section holds.
 *
 * @param flushWord a sync point is a MULTIFD_FLUSH word, from machine types 8.1 on; otherwise each section's end-of-records word is one
 * @param zeroPagesInPackets zero pages travel in the packets, from 9.0 on; otherwise as ZERO records on the main channel
 */
public record MultifdDialect(boolean flushWord, boolean zeroPagesInPackets) {
    private static final Pattern VERSIONED = Pattern.compile(".*-([0-9]{1,4})\\.([0-9]{1,4})");

    /** The dialect of a resolved machine type, for example {@code pc-i440fx-8.2}; of one without a version the newest. */
    public static MultifdDialect ofMachine(String machine) {
        Matcher version = VERSIONED.matcher(machine);
        if (!version.matches()) {
            return new MultifdDialect(true, true);
        }
        int major = Integer.parseInt(version.group(1));
        int minor = Integer.parseInt(version.group(2));
        return new MultifdDialect(major > 8 || (major == 8 && minor >= 1), major >= 9);
    }

    /** Appends what ends a sync point on the main channel: 8 bytes, or nothing if the next end-of-records word does. */
    public void endSyncPoint(ByteBuffer mainChannel) {
        if (flushWord) {
            StreamEncoder.write(new StreamMessage.MultifdFlush(), mainChannel);
        }
    }
}
