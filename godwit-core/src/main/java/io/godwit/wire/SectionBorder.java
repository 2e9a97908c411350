// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.nio.ByteBuffer;

/**
 * Where a device section may end: device bodies carry no length, so one looks for {@code 7e, section id} followed by something that can stand
 * after a section ({@code spec/stream.md §4.2}, second way).
 */
final class SectionBorder {
    /** Whether an element of the stream begins at a place. */
    enum Verdict {
        YES,
        NO,
        /** Cannot be told from the bytes that are there. */
        MORE
    }

    /** Longest header of a START or FULL section. */
    static final int MAX_HEADER = 1 + 4 + 1 + 255 + 4 + 4;

    private SectionBorder() {}

    /** Whether a long header can begin at {@code at}: type, id, and a printable name. */
    static Verdict longHeader(ByteBuffer in, int at, int limit) {
        if (at + 6 > limit) {
            return Verdict.MORE;
        }
        int n = in.get(at + 5) & 0xff;
        if (n == 0) {
            return Verdict.NO;
        }
        for (int i = at + 6; i < at + 6 + n; i++) {
            if (i >= limit) {
                return Verdict.MORE;
            }
            if (in.get(i) < 0x20 || in.get(i) == 0x7f) {
                return Verdict.NO;
            }
        }
        return at + 6 + n + 8 > limit ? Verdict.MORE : Verdict.YES;
    }

    /** Whether a command can begin at {@code at}. */
    static Verdict command(ByteBuffer in, int at, int limit) {
        if (at + WireFormat.COMMAND_HEADER > limit) {
            return Verdict.MORE;
        }
        int code = in.getShort(at + 1) & 0xffff;
        return CommandReader.known(code) && CommandReader.lengthFits(code, in.getShort(at + 3) & 0xffff)
                ? Verdict.YES
                : Verdict.NO;
    }

    /** Whether a PART or END of section {@code id} can begin at {@code at}. */
    static Verdict shortHeader(ByteBuffer in, int at, int limit, int id) {
        if (at + 5 > limit) {
            return Verdict.MORE;
        }
        return in.getInt(at + 1) == id ? Verdict.YES : Verdict.NO;
    }
}
