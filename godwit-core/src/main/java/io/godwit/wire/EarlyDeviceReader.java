// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.wire.SectionBorder.Verdict;
import java.nio.ByteBuffer;

/** A device section that other elements of the stream follow: before the END of "ram" (early_setup devices). Ends at a border, {@link SectionBorder}. */
final class EarlyDeviceReader {
    private final Collector bytes;
    private final int limit;
    private final int ramId;
    private final boolean ramKnown;
    private boolean inBody;
    private int sectionId;

    /**
     * @param limit most bytes of all such sections of a stream: a source may send any number of them, and all are kept
     * @param taken bytes of those that came before
     * @param ramId id of "ram" if {@code ramKnown}: its PART or END may follow
     */
    EarlyDeviceReader(int limit, int taken, boolean ramKnown, int ramId) {
        this.limit = limit;
        this.bytes = new Collector(limit - taken);
        this.ramKnown = ramKnown;
        this.ramId = ramId;
    }

    /** Takes what belongs to it; true once it is complete and {@link #verbatim} may be asked. */
    boolean read(Reader reader, ByteBuffer in) throws WireException {
        return (inBody || header(reader, in)) && body(reader, in);
    }

    byte[] verbatim() {
        return bytes.range(0, bytes.size());
    }

    private boolean header(Reader reader, ByteBuffer in) throws WireException {
        switch (SectionBorder.longHeader(in, in.position(), in.limit())) {
            case MORE -> {
                reader.setMissing(1);
                return false;
            }
            case NO -> throw reader.error("a device section without a printable name");
            case YES -> {
                sectionId = in.getInt(in.position() + 1);
                take(reader, in, 6 + (in.get(in.position() + 5) & 0xff) + 8);
                inBody = true;
            }
        }
        return true;
    }

    /** Takes the body and its footer; what could be the border stays in the buffer until it is sure. */
    private boolean body(Reader reader, ByteBuffer in) throws WireException {
        int limit = in.limit();
        int at = in.position();
        for (; at < limit; at++) {
            if (in.get(at) != WireFormat.FOOTER) {
                continue;
            }
            if (at + WireFormat.FOOTER_SIZE > limit) {
                break;
            }
            if (in.getInt(at + 1) != sectionId) {
                continue;
            }
            Verdict next = follows(in, at + WireFormat.FOOTER_SIZE, limit);
            if (next == Verdict.YES) {
                take(reader, in, at + WireFormat.FOOTER_SIZE - in.position());
                return true;
            }
            if (next == Verdict.MORE) {
                break;
            }
        }
        take(reader, in, at - in.position());
        reader.setMissing(1);
        return false;
    }

    private Verdict follows(ByteBuffer in, int at, int limit) {
        if (at >= limit) {
            return Verdict.MORE;
        }
        return switch (in.get(at)) {
            case WireFormat.FULL, WireFormat.START -> SectionBorder.longHeader(in, at, limit);
            case WireFormat.COMMAND -> SectionBorder.command(in, at, limit);
            case WireFormat.PART, WireFormat.END ->
                ramKnown ? SectionBorder.shortHeader(in, at, limit, ramId) : Verdict.NO;
            default -> Verdict.NO;
        };
    }

    private void take(Reader reader, ByteBuffer in, int count) throws WireException {
        if (count > bytes.room()) {
            throw reader.error("more than " + limit + " bytes of device state");
        }
        bytes.take(in, count);
    }
}
