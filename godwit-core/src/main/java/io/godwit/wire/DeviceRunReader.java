// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The device sections of a precopy with all that follows them to the end of the channel: a run of FULL sections, the EOF byte, the vmdesc.
 *
 * <p>The run is one piece here. Its end is sought from behind: a footer, then {@code 00 06 u32 n} and n bytes of
 * a JSON object. A device body may look like that by chance or by a guest's wish, so each such place is a candidate: kept until all its bytes are
 * there, taken if its description fits the run's sections to the byte; or, since no device may make a migration fail that QEMU would take, if it
 * is a JSON object and nothing has arrived behind it.
 */
final class DeviceRunReader {
    /** {@code 7e, u32 id, 00, 06, u32 n}, opening brace. */
    private static final int PATTERN = 12;
    /** Most candidates that wait for their bytes, and how much of them is parsed: this bounds what fakes can cost. A stream has one. */
    private static final int MAX_CANDIDATES = 1024;

    private static final int MAX_PARSED = 4;

    private final StreamLimits limits;
    private final int early;
    private final Collector bytes;
    private final List<Candidate> candidates = new ArrayList<>();
    private long parsed;
    private int scanned;
    private int runEnd = -1;
    private int jsonEnd = -1;

    private record Candidate(int runEnd, int jsonEnd) {}

    /** @param early device sections that came before the END of ram; the vmdesc lists them first */
    DeviceRunReader(StreamLimits limits, int early) {
        this.limits = limits;
        this.early = early;
        this.bytes = new Collector(limits.maxDeviceBytes() + limits.maxVmDescriptionBytes() + PATTERN);
    }

    /** Takes all of {@code in}, or gives back what is past the end; true once the vmdesc is complete. */
    boolean read(Reader reader, ByteBuffer in) throws WireException {
        bytes.take(in, in.remaining());
        scan(reader);
        candidates.removeIf(c -> c.jsonEnd <= bytes.size() && !accept(c));
        if (parsed > (long) MAX_PARSED * limits.maxVmDescriptionBytes()) {
            throw reader.error("device state with too many places that look like its end");
        }
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
        if (runEnd >= 0 || bytes.at(c.jsonEnd - 1) != '}' || !describes(c)) {
            return false;
        }
        runEnd = c.runEnd;
        jsonEnd = c.jsonEnd;
        return true;
    }

    private boolean describes(Candidate c) {
        parsed += c.jsonEnd - c.runEnd;
        try {
            List<DescribedDevice> devices = bytes.describedDevices(c.runEnd + 6, c.jsonEnd);
            return c.jsonEnd == bytes.size() || fits(c, devices);
        } catch (WireException e) {
            return false; // these bytes are part of a device, not the vmdesc
        }
    }

    private boolean fits(Candidate c, List<DescribedDevice> devices) {
        try {
            List<DescribedDevice> late = devices.subList(Math.min(early, devices.size()), devices.size());
            return !late.isEmpty()
                    && DeviceSections.cut(bytes.range(0, c.runEnd), late).size() == late.size();
        } catch (WireException e) {
            return false; // another run's description
        }
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
            if (candidates.size() == MAX_CANDIDATES) {
                throw reader.error("device state with more than " + MAX_CANDIDATES + " places that look like its end");
            }
            int end = scanned + WireFormat.FOOTER_SIZE;
            candidates.add(new Candidate(end, end + 6 + length));
        }
    }
}
