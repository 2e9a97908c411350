// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.wire.SectionBorder.Verdict;
import java.nio.ByteBuffer;

/**
 * Device sections that other elements of the stream follow: before the END of "ram" (early_setup devices, one section at a time), or a run of
 * them that ends with an EOF byte and no vmdesc after it. Goes from border to border, {@link SectionBorder}.
 */
final class DeviceChainReader {
    private final Collector bytes;
    private final int ramId;
    private final boolean ramKnown;
    private final boolean run;
    private boolean inBody;
    private int sectionId;

    /**
     * @param ramId id of "ram" if {@code ramKnown}: its PART or END may follow
     * @param run take all sections up to the EOF byte instead of one
     */
    DeviceChainReader(int limit, boolean ramKnown, int ramId, boolean run) {
        this.bytes = new Collector(limit);
        this.ramKnown = ramKnown;
        this.ramId = ramId;
        this.run = run;
    }

    /** Takes what belongs to it; true once it is complete and {@link #verbatim} may be asked. */
    boolean read(Reader reader, ByteBuffer in) throws WireException {
        while (true) {
            if (!inBody && !header(reader, in)) {
                return false;
            }
            if (!body(reader, in)) {
                return false;
            }
            inBody = false;
            if (!run || in.get(in.position()) == WireFormat.EOF) {
                return true;
            }
        }
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
            case WireFormat.FULL -> SectionBorder.longHeader(in, at, limit);
            case WireFormat.START -> run ? Verdict.NO : SectionBorder.longHeader(in, at, limit);
            case WireFormat.COMMAND -> run ? Verdict.NO : SectionBorder.command(in, at, limit);
            case WireFormat.PART, WireFormat.END ->
                ramKnown && !run ? SectionBorder.shortHeader(in, at, limit, ramId) : Verdict.NO;
            // Nothing follows an EOF byte without vmdesc: with more bytes there it is none.
            case WireFormat.EOF -> run && at + 1 == limit ? Verdict.YES : Verdict.NO;
            default -> Verdict.NO;
        };
    }

    private void take(Reader reader, ByteBuffer in, int count) throws WireException {
        if (count > bytes.room()) {
            throw reader.error("more than " + (bytes.size() + bytes.room()) + " bytes of device state");
        }
        bytes.take(in, count);
    }
}
