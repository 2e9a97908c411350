// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Budget;
import io.godwit.fuzz.Pieces;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;

/** Pages that came as a difference or as a zlib stream: nothing is written but the page, and what is encoded gives the page again. */
class EncodedPageFuzzTest {
    private static final int HEAD = 4;
    private static final byte GUARD = 0x5a;

    private static EncodedPage record(EncodedPage.Encoding encoding, byte[] data) {
        EncodedPage record = new EncodedPage(Guest.BLOCKS, WireException.MAIN);
        record.set(encoding, 0, 0, true);
        record.data(ByteBuffer.wrap(data), 0, data.length, 0);
        return record;
    }

    /** The page stands between two that nothing may touch. */
    private static ByteBuffer between(byte fill, int step) {
        ByteBuffer memory = ByteBuffer.allocate(3 * Pages.SIZE);
        java.util.Arrays.fill(memory.array(), GUARD);
        for (int i = 0; i < Pages.SIZE; i++) {
            memory.put(Pages.SIZE + i, (byte) (fill + (step == 0 ? 0 : i / (16 * step))));
        }
        return memory;
    }

    private static void untouched(ByteBuffer memory) {
        for (int i = 0; i < Pages.SIZE; i++) {
            if (memory.get(i) != GUARD || memory.get(2 * Pages.SIZE + i) != GUARD) {
                throw new AssertionError("byte " + i + " of a neighbour was written");
            }
        }
    }

    private static boolean fits(EncodedPage.Encoding encoding, byte[] data) {
        return data.length > 0 && data.length <= encoding.most();
    }

    @FuzzTest
    void xbzrle(byte[] input) {
        byte[] data = Pieces.rest(input, HEAD);
        if (fits(EncodedPage.Encoding.XBZRLE, data)) {
            Budget.holds(input.length, _ -> applied(input, data));
        }
    }

    private static void applied(byte[] input, byte[] data) {
        ByteBuffer memory = between((byte) Pieces.control(input, 0), Pieces.control(input, 1));
        ByteBuffer before = between((byte) Pieces.control(input, 0), Pieces.control(input, 1));
        try {
            Xbzrle.apply(record(EncodedPage.Encoding.XBZRLE, data), memory, Pages.SIZE);
        } catch (WireException e) {
            untouched(memory);
            return;
        }
        untouched(memory);
        thereAndBack(before, memory);
    }

    private static void thereAndBack(ByteBuffer before, ByteBuffer after) {
        ByteBuffer out = ByteBuffer.allocate(2 * Pages.SIZE);
        int n = Xbzrle.encode(before, Pages.SIZE, after, Pages.SIZE, out, Pages.SIZE);
        if (n == Xbzrle.SAME ? !before.equals(after) : n != Xbzrle.DOES_NOT_FIT && out.position() != n) {
            throw new AssertionError("a difference of " + n + " bytes, " + out.position() + " written");
        }
        if (n <= 0) {
            return;
        }
        byte[] delta = java.util.Arrays.copyOf(out.array(), n);
        try {
            Xbzrle.apply(record(EncodedPage.Encoding.XBZRLE, delta), before, Pages.SIZE);
        } catch (WireException e) {
            throw new AssertionError("our own difference is refused", e);
        }
        if (!before.equals(after)) {
            throw new AssertionError("our own difference gives another page");
        }
    }

    @FuzzTest
    void inflate(byte[] input) {
        byte[] data = Pieces.rest(input, HEAD);
        if (fits(EncodedPage.Encoding.ZLIB, data)) {
            Budget.holds(input.length, _ -> inflated(data));
        }
    }

    private static void inflated(byte[] data) {
        ByteBuffer memory = between((byte) 0, 0).position(Pages.SIZE);
        try (PageInflater inflater = new PageInflater()) {
            inflater.inflate(record(EncodedPage.Encoding.ZLIB, data), memory);
            if (memory.position() != 2 * Pages.SIZE) {
                throw new AssertionError("a page of " + (memory.position() - Pages.SIZE) + " bytes");
            }
        } catch (WireException e) {
            // Refused; the neighbours are looked at all the same.
        }
        untouched(memory);
    }
}
