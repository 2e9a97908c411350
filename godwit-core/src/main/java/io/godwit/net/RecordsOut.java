// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;

/**
 * A TLS session's encrypted bytes on their way to a channel, and which plain bytes are in them: those of a record count once the channel has taken the record whole, see {@link TlsStream}.
 * What a session sends of its own (an answer, an end) is among them and counts as nothing.
 */
final class RecordsOut {
    /** Records on their way at most: what waits here delays an urgent page. */
    private static final int AHEAD = 4;

    /** To be sent: between {@link #sent} and position. */
    private final ByteBuffer bytes;

    private int sent;

    // The records on their way, oldest first: where each ends, and how many plain bytes are in it.
    private final int[] ends = new int[AHEAD];
    private final int[] lengths = new int[AHEAD];
    private int records;
    private int ahead;

    RecordsOut(ByteBuffer bytes) {
        this.bytes = bytes.clear();
    }

    /** Where the session puts what it encrypts, from the position on. */
    ByteBuffer bytes() {
        return bytes;
    }

    boolean hasRoom(int packet) {
        return bytes.remaining() >= packet;
    }

    /** Whether one more record may be made ahead of what the channel takes. */
    boolean takesMore() {
        return records < AHEAD;
    }

    /** A record ends at the position, with so many plain bytes in it. */
    void whole(int plain) {
        ends[records] = bytes.position();
        lengths[records++] = plain;
        ahead += plain;
    }

    /** Plain bytes that are encrypted and do not count yet. */
    int ahead() {
        return ahead;
    }

    /** Whether something waits for the channel. */
    boolean owes() {
        return bytes.position() > sent;
    }

    /**
     * Hands to the channel what it takes.
     *
     * @return plain bytes of the records that are whole with it
     */
    int send(ByteChannel channel) throws IOException {
        int end = bytes.position();
        if (end == sent) {
            return 0;
        }
        bytes.limit(end).position(sent);
        try {
            channel.write(bytes);
            sent = bytes.position();
        } finally {
            bytes.limit(bytes.capacity()).position(end);
        }
        int done = 0;
        int whole = 0;
        while (whole < records && ends[whole] <= sent) {
            done += lengths[whole++];
        }
        records -= whole;
        ahead -= done;
        System.arraycopy(ends, whole, ends, 0, records);
        System.arraycopy(lengths, whole, lengths, 0, records);
        if (sent == end) {
            bytes.clear();
            sent = 0;
        }
        return done;
    }
}
