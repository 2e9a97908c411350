// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.wire.StreamMessage.Footer;
import io.godwit.wire.StreamMessage.SectionEnd;
import io.godwit.wire.StreamMessage.SectionStart;
import io.godwit.wire.UnsupportedOnWireException.Feature;
import org.jspecify.annotations.Nullable;

/**
 * Headers and footers of the "ram" section and their order: one START, PARTs, one END, each with a footer of its id ({@code spec/stream.md §4}).
 * Reads, but leaves the commit to the decoder.
 */
final class RamSection {
    private final Reader reader;
    private boolean started;
    private boolean ended;
    private boolean ending;
    private int id;

    RamSection(Reader reader) {
        this.reader = reader;
    }

    /** On a recovery connection START was on an earlier one. */
    void resume(int sectionId) {
        started = true;
        id = sectionId;
    }

    /** Whether START was read. */
    boolean started() {
        return started;
    }

    /** Whether the footer of END was read. */
    boolean ended() {
        return ended;
    }

    int id() {
        return id;
    }

    /** {@code 01, u32 id, str8 idstr, u32 instance, u32 version}. */
    @Nullable
    SectionStart start() throws WireException {
        if (!reader.has(6) || !reader.has(6 + reader.peek(5) + 8)) {
            return null;
        }
        reader.skip(1);
        int newId = reader.i32();
        int nameAt = reader.at();
        String idstr = reader.str8("a section's name");
        if (!idstr.equals(WireFormat.RAM)) {
            reader.skip(nameAt - reader.at());
            throw reader.unsupported(Feature.ITERABLE, "the START of section '" + idstr + "'");
        }
        if (started) {
            throw reader.errorBefore(reader.at() - nameAt, "a second START of ram");
        }
        int instance = reader.i32();
        int version = reader.i32();
        if (version != WireFormat.RAM_VERSION) {
            throw reader.errorBefore(
                    4,
                    "ram of version " + Integer.toUnsignedString(version) + "; only " + WireFormat.RAM_VERSION
                            + " is spoken");
        }
        resume(newId);
        return new SectionStart(newId, idstr, instance, version);
    }

    /** {@code 02 or 03, u32 id}; true if it was there whole. */
    boolean partOrEnd() throws WireException {
        if (!reader.has(5)) {
            return false;
        }
        boolean end = reader.u8() == WireFormat.END;
        int newId = reader.i32();
        String name = end ? "END" : "PART";
        if (!started || newId != id) {
            throw reader.errorBefore(
                    4, name + " of section " + Integer.toUnsignedString(newId) + ", which has no START");
        }
        if (ended) {
            throw reader.errorBefore(5, name + " of ram after its END");
        }
        ending = end;
        return true;
    }

    /** Whether the section that was begun last is the END. */
    boolean ending() {
        return ending;
    }

    /** {@code 7e, u32 id}. */
    @Nullable
    Footer footer() throws WireException {
        if (!reader.has(WireFormat.FOOTER_SIZE)) {
            return null;
        }
        if (reader.peek(0) != WireFormat.FOOTER) {
            throw reader.error("0x" + Integer.toHexString(reader.peek(0)) + " where the footer of ram should begin");
        }
        reader.skip(1);
        int footerId = reader.i32();
        if (footerId != id) {
            throw reader.errorBefore(
                    4,
                    "the footer of section " + Integer.toUnsignedString(footerId) + " after a body of section "
                            + Integer.toUnsignedString(id));
        }
        ended = ending;
        return new Footer(footerId);
    }

    /** The message of the section that {@link #partOrEnd} has read. */
    StreamMessage opened() {
        return ending ? new SectionEnd(id) : new StreamMessage.SectionPart(id);
    }
}
