// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * The device sections of a precopy with all that follows them to the end of the channel: a run of FULL sections, the EOF byte, the vmdesc.
 *
 * <p>The run is one piece here. Its end is sought from behind: a footer, then {@code 00 06 u32 n} and n bytes of
 * a JSON object. A device body may look like that by chance or by a guest's wish, so each such place is a candidate: kept until all its bytes are
 * there, taken if its description fits the run's sections to the byte; or, for a QEMU whose sizes are wrong, or one that describes nothing ({@code {}}, as Godwit sends it for a VM that came by postcopy),
 * if the run can be cut into sections that have the described names. Candidates are judged in the order of their last bytes and by what stands before those, so how the bytes were cut into pieces
 * decides nothing. A guest that has such an end written into one of its devices makes its own migration fail, and no other's.
 */
final class DeviceRunReader {
    /** {@code 7e, u32 id, 00, 06, u32 n}, opening brace. */
    private static final int PATTERN = 12;
    /** Most candidates, and how much of them is parsed, as a multiple of the longest: this bounds what fakes can cost. A stream has one. */
    private static final int MAX_CANDIDATES = 1024;

    private static final int MAX_PARSED = 4;
    /** Most bytes of runs that are compared with a description, as a multiple of the longest run. */
    private static final int MAX_LOOKED_AT = 4;
    /** Most bytes of runs in which sections are sought by their footers, which takes several steps for each. */
    private static final int MAX_SOUGHT = 4 << 20;

    private final StreamLimits limits;
    private final int early;
    private final Collector bytes;
    private final PriorityQueue<Candidate> candidates =
            new PriorityQueue<>(Comparator.comparingInt(Candidate::jsonEnd).thenComparingInt(Candidate::runEnd));
    private int seen;
    private long sought;
    private long lookedAt;
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
        while (runEnd < 0 && scanned + PATTERN <= bytes.size() && scanned <= limits.maxDeviceBytes()) {
            // As if the bytes had come one by one: what ends before this place is complete is judged first.
            judge(scanned + PATTERN - 1, reader);
            look(reader);
        }
        judge(bytes.size(), reader);
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

    private void judge(int end, Reader reader) throws WireException {
        while (runEnd < 0 && !candidates.isEmpty() && candidates.peek().jsonEnd <= end) {
            Candidate c = candidates.remove();
            if (bytes.at(c.jsonEnd - 1) == '}' && describes(c)) {
                runEnd = c.runEnd;
                jsonEnd = c.jsonEnd;
            } else if (parsed > (long) MAX_PARSED * limits.maxVmDescriptionBytes()
                    || lookedAt > (long) MAX_LOOKED_AT * limits.maxDeviceBytes()) {
                throw reader.error("device state with too many places that look like its end");
            }
        }
    }

    private boolean describes(Candidate c) {
        parsed += c.jsonEnd - c.runEnd;
        List<DescribedDevice> late;
        try {
            List<DescribedDevice> devices = bytes.describedDevices(c.runEnd + 6, c.jsonEnd);
            late = devices.subList(Math.min(early, devices.size()), devices.size());
        } catch (WireException e) {
            return false; // these bytes are part of a device, not the vmdesc
        }
        byte[] run = bytes.range(0, c.runEnd);
        lookedAt += run.length;
        return fits(run, late) || names(run, late);
    }

    private static boolean fits(byte[] run, List<DescribedDevice> late) {
        try {
            return !late.isEmpty() && DeviceSections.cut(run, late).size() == late.size();
        } catch (WireException e) {
            return false; // another run's description
        }
    }

    private boolean names(byte[] run, List<DescribedDevice> late) {
        sought += run.length;
        if (sought > MAX_SOUGHT) {
            return false;
        }
        List<DeviceSectionBytes> sections;
        try {
            sections = DeviceSections.scan(run);
        } catch (WireException e) {
            return false; // no run of sections ends here
        }
        boolean same = late.isEmpty() || late.size() == sections.size();
        for (int i = 0; i < late.size() && same; i++) {
            DescribedDevice device = late.get(i);
            DeviceSectionBytes section = sections.get(i);
            same = section.idstr().equals(device.idstr()) && section.instanceId() == (int) device.instanceId();
        }
        return same;
    }

    private void look(Reader reader) throws WireException {
        int at = scanned++;
        if (runEnd >= 0
                || bytes.at(at) != WireFormat.FOOTER
                || bytes.at(at + 5) != WireFormat.EOF
                || bytes.at(at + 6) != WireFormat.VM_DESCRIPTION
                || bytes.at(at + 11) != '{') {
            return;
        }
        int length = bytes.intAt(at + 7);
        if (length < 2 || length > limits.maxVmDescriptionBytes()) {
            return;
        }
        if (seen == MAX_CANDIDATES) {
            throw reader.error("device state with more than " + MAX_CANDIDATES + " places that look like its end");
        }
        seen++;
        int end = at + WireFormat.FOOTER_SIZE;
        candidates.add(new Candidate(end, end + 6 + length));
    }
}
