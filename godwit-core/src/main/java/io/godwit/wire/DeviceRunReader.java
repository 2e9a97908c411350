// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The device sections of a precopy with all that follows them to the end of the channel: a run of FULL sections, the EOF byte, the vmdesc.
 *
 * <p>The run is one piece here: the borders in it do not matter. Its end is sought from behind: a footer whose id a FULL section announced, then
 * {@code 00 06 u32 n} and n bytes of a JSON object. A device body may look like that by chance or by a guest's wish, so each such place is a
 * candidate, kept until all its bytes are there, and dropped if they are no vmdesc; scanning goes on meanwhile.
 */
final class DeviceRunReader {
    /** {@code 7e, u32 id, 00, 06, u32 n}, opening brace. */
    private static final int PATTERN = 12;
    /** A stream has one; a guest that fakes more than this has its devices refused. Bounds the time that fakes can cost. */
    private static final int MAX_CANDIDATES = 16;

    private final StreamLimits limits;
    private final Collector bytes;
    private final List<Candidate> candidates = new ArrayList<>();
    private int seen;
    private int scanned;
    private int runEnd = -1;
    private int jsonEnd = -1;

    private record Candidate(int runEnd, int jsonEnd) {}

    DeviceRunReader(StreamLimits limits) {
        this.limits = limits;
        this.bytes = new Collector(limits.maxDeviceBytes() + limits.maxVmDescriptionBytes() + PATTERN);
    }

    /** Takes all of {@code in}, or gives back what is past the end; true once the vmdesc is complete. */
    boolean read(Reader reader, ByteBuffer in) throws WireException {
        bytes.take(in, in.remaining());
        scan(reader);
        candidates.removeIf(c -> c.jsonEnd <= bytes.size() && !accept(c));
        if (runEnd >= 0) {
            in.position(in.position() - (bytes.size() - jsonEnd));
            return true;
        }
        if (candidates.isEmpty() && scanned > limits.maxDeviceBytes()) {
            throw reader.error("more than " + limits.maxDeviceBytes() + " bytes of device state without an end");
        }
        reader.setMissing(1);
        return false;
    }

    byte[] verbatim() {
        return bytes.range(0, runEnd);
    }

    byte[] vmDescription() {
        return bytes.range(runEnd + 6, jsonEnd);
    }

    private boolean accept(Candidate c) {
        if (runEnd >= 0 || bytes.at(c.jsonEnd - 1) != '}') {
            return false;
        }
        runEnd = c.runEnd;
        jsonEnd = c.jsonEnd;
        return true;
    }

    private void scan(Reader reader) throws WireException {
        for (; scanned + PATTERN <= bytes.size() && scanned <= limits.maxDeviceBytes(); scanned++) {
            if (bytes.at(scanned) != WireFormat.FOOTER
                    || bytes.at(scanned + 5) != WireFormat.EOF
                    || bytes.at(scanned + 6) != WireFormat.VM_DESCRIPTION
                    || bytes.at(scanned + 11) != '{') {
                continue;
            }
            int length = bytes.intAt(scanned + 7);
            if (length < 2 || length > limits.maxVmDescriptionBytes()) {
                continue;
            }
            if (++seen > MAX_CANDIDATES) {
                throw reader.error("device state with more than " + MAX_CANDIDATES + " places that look like its end");
            }
            if (!announced(bytes.intAt(scanned + 1))) {
                continue;
            }
            int end = scanned + WireFormat.FOOTER_SIZE;
            candidates.add(new Candidate(end, end + 6 + length));
        }
    }

    /** Whether a FULL section of this id can begin somewhere before. */
    private boolean announced(int id) {
        for (int at = 0; at + 6 < scanned; at++) {
            if (bytes.at(at) == WireFormat.FULL && bytes.intAt(at + 1) == id && bytes.at(at + 5) != 0) {
                return true;
            }
        }
        return false;
    }
}
