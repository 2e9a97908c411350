// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * The device sections of a precopy with all that follows them to the end of the channel: a run of FULL sections, the EOF byte, mostly a vmdesc.
 *
 * <p>The run is one piece here. Its end is sought from behind: a footer, then {@code 00 06 u32 n} and n bytes of
 * a JSON object. A device body may look like that by chance or by a guest's wish, so each such place is a candidate: kept until all its bytes are
 * there, taken if its description fits the run's sections to the byte, or, for a QEMU whose sizes are wrong, if the run can be cut into sections that have the described names. Candidates are judged in the
 * order of their last bytes and by what stands before those, so how the bytes were cut into pieces decides nothing.
 *
 * <p>Two kinds of stream have nothing in them that tells the end from what a guest may have written into a device: a QEMU's with {@code suppress-vmdesc=on}, whose last byte is the
 * EOF byte, and one whose description lists none of these devices ({@code {}}: what Godwit once sent for a VM that came by postcopy). Bytes alone end neither. They end where
 * {@linkplain #mayEnd they may} and the caller knows that nothing follows ({@link #nothingFollows}): the channel has ended there, or has been silent for long. So pieces decide nothing here, either.
 *
 * <p>A guest that has a whole end, every device before it described, written into one of its devices ends its own migration too early, and no other's. So does one that has a bare end there, where a stall of the path is
 * taken for silence.
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
    /** The same where nothing follows: once for a stream, but for what a stall and a guest together make look like its end. */
    private static final long MAX_SOUGHT_LAST = 256L << 20;

    private final StreamLimits limits;
    private final int early;
    private final Collector bytes;
    private final PriorityQueue<Candidate> candidates =
            new PriorityQueue<>(Comparator.comparingInt(Candidate::jsonEnd).thenComparingInt(Candidate::runEnd));
    private int seen;
    private long sought;
    private long lastSought;
    private long lookedAt;
    private long parsed;
    private int scanned;
    private @Nullable Candidate silent;
    private int refused = -1;
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

    /** Whether what has come is a whole run if nothing follows it, as far as its last bytes say; as {@link StreamDecoder#mayEnd}. */
    boolean mayEnd(boolean bare) {
        return runEnd < 0 && refused != bytes.size() && (bare ? undescribedEnd() >= 0 : describedByNothing());
    }

    /** A description that lists none of these devices is the last thing that came. */
    private boolean describedByNothing() {
        return silent != null && silent.jsonEnd == bytes.size();
    }

    /** Where a run would end that nothing describes, or -1: behind the footer before an EOF byte that is the last one, or that a description of nothing follows. */
    private int undescribedEnd() {
        int size = bytes.size();
        if (silent != null && silent.jsonEnd == size) {
            return silent.runEnd;
        }
        int footer = size - 1 - WireFormat.FOOTER_SIZE;
        return footer > 0 && bytes.at(footer) == WireFormat.FOOTER && bytes.at(size - 1) == WireFormat.EOF
                ? size - 1
                : -1;
    }

    /** Nothing follows what has come. True if that is a run of sections with its end, so that the run may be asked for. */
    boolean nothingFollows() {
        int end = undescribedEnd();
        lastSought += Math.max(end, 0);
        if (!mayEnd(true) || lastSought > MAX_SOUGHT_LAST || scan(bytes.range(0, end)) == null) {
            refused = bytes.size();
            return false;
        }
        runEnd = end;
        jsonEnd = bytes.size();
        return true;
    }

    byte[] verbatim() {
        return bytes.range(0, runEnd);
    }

    /** Null if none came. */
    byte @Nullable [] vmDescription() {
        return jsonEnd == runEnd + 1 ? null : bytes.range(runEnd + 6, jsonEnd);
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
        if (late.isEmpty()) {
            silent = c;
            return false;
        }
        byte[] run = bytes.range(0, c.runEnd);
        lookedAt += run.length;
        return fits(run, late) || names(run, late);
    }

    private static boolean fits(byte[] run, List<DescribedDevice> late) {
        try {
            return DeviceSections.cut(run, late).size() == late.size();
        } catch (WireException e) {
            return false; // another run's description
        }
    }

    private boolean names(byte[] run, List<DescribedDevice> late) {
        List<DeviceSectionBytes> sections = sections(run);
        if (sections == null) {
            return false;
        }
        boolean same = late.size() == sections.size();
        for (int i = 0; i < late.size() && same; i++) {
            DescribedDevice device = late.get(i);
            DeviceSectionBytes section = sections.get(i);
            same = section.idstr().equals(device.idstr()) && section.instanceId() == (int) device.instanceId();
        }
        return same;
    }

    /** By their footers; null if the bytes are no run of sections, or too many were looked at. */
    private @Nullable List<DeviceSectionBytes> sections(byte[] run) {
        sought += run.length;
        return sought > MAX_SOUGHT ? null : scan(run);
    }

    private static @Nullable List<DeviceSectionBytes> scan(byte[] run) {
        try {
            return DeviceSections.scan(run);
        } catch (WireException e) {
            return null; // no run of sections ends here
        }
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
