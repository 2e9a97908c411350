// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.wire.StreamMessage.Packaged;
import io.godwit.wire.StreamMessage.Ping;
import io.godwit.wire.StreamMessage.PostcopyListen;
import io.godwit.wire.StreamMessage.PostcopyRun;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the PACKAGED command carries, {@code spec/stream.md §6.4}: LISTEN, device sections, PINGs, RUN.
 *
 * @param devices the FULL sections verbatim, empty if there are none; not copied and not to be changed
 * @param pings values to be answered by PONG, in order: 3, and from sources of 10.2 on 0x42
 */
@SuppressWarnings("ArrayRecordComponent") // compared by content below
public record PackagedBlob(byte[] devices, List<Integer> pings) {
    private static final int LISTEN_SIZE = 5;
    private static final int RUN_SIZE = 5;
    private static final int PING_SIZE = 9;
    private static final int MAX_PINGS = 16;

    public PackagedBlob {
        pings = List.copyOf(pings);
    }

    /**
     * Takes a blob apart. The commands at its end are found from behind; what stands before them must be empty or end like a section.
     *
     * @param packaged as decoded from the main channel
     * @param blobOffset offset of the blob's first byte in the channel, for errors
     * @throws WireException if it is not built so
     */
    public static PackagedBlob parse(Packaged packaged, long blobOffset) throws WireException {
        byte[] blob = packaged.blob();
        ByteBuffer in = ByteBuffer.wrap(blob);
        if (blob.length < LISTEN_SIZE + RUN_SIZE || !isCommand(in, 0, WireFormat.POSTCOPY_LISTEN, 0)) {
            throw new WireException(WireException.MAIN, blobOffset, "the PACKAGED blob does not begin with LISTEN");
        }
        int end = blob.length - RUN_SIZE;
        if (!isCommand(in, end, WireFormat.POSTCOPY_RUN, 0)) {
            throw new WireException(WireException.MAIN, blobOffset + end, "the PACKAGED blob does not end with RUN");
        }
        List<Integer> pings = new ArrayList<>();
        while (end - PING_SIZE >= LISTEN_SIZE
                && pings.size() < MAX_PINGS
                && isCommand(in, end - PING_SIZE, WireFormat.PING, 4)) {
            pings.add(in.getInt(end - 4));
            end -= PING_SIZE;
        }
        Collections.reverse(pings);
        int length = end - LISTEN_SIZE;
        boolean devices = length > WireFormat.FOOTER_SIZE + 15
                && blob[LISTEN_SIZE] == WireFormat.FULL
                && blob[end - WireFormat.FOOTER_SIZE] == WireFormat.FOOTER;
        if (length != 0 && !devices) {
            throw new WireException(
                    WireException.MAIN,
                    blobOffset + LISTEN_SIZE,
                    length + " bytes in the PACKAGED blob that are no device sections");
        }
        return new PackagedBlob(Arrays.copyOfRange(blob, LISTEN_SIZE, end), pings);
    }

    /** The command that carries this. */
    public Packaged encode() {
        ByteBuffer out = ByteBuffer.allocate(LISTEN_SIZE + devices.length + PING_SIZE * pings.size() + RUN_SIZE);
        StreamEncoder.write(new PostcopyListen(), out);
        out.put(devices);
        pings.forEach(value -> StreamEncoder.write(new Ping(value), out));
        StreamEncoder.write(new PostcopyRun(), out);
        return new Packaged(out.array());
    }

    private static boolean isCommand(ByteBuffer in, int at, int code, int length) {
        return in.get(at) == WireFormat.COMMAND && in.getShort(at + 1) == code && in.getShort(at + 3) == length;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof PackagedBlob that && Arrays.equals(that.devices, devices) && that.pings.equals(pings);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(devices) * 31 + pings.hashCode();
    }

    @Override
    public String toString() {
        return "PackagedBlob[" + devices.length + " bytes of devices, pings " + pings + "]";
    }
}
