// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Budget;
import io.godwit.fuzz.Pieces;
import java.nio.ByteBuffer;

/** Connections judged by their first bytes: a verdict is final, comes in time, and takes no byte. */
class FirstBytesFuzzTest {
    @FuzzTest
    void firstBytes(byte[] input) {
        boolean known = (Pieces.control(input, 0) & 1) == 0;
        byte[] bytes = Pieces.rest(input, 1);
        Budget.holds(bytes.length, budget -> judged(bytes, known, budget));
    }

    private static void judged(byte[] bytes, boolean known, Budget budget) {
        FirstBytes.Kind before = FirstBytes.Kind.NEED_MORE;
        for (int n = 0; n <= Math.min(bytes.length, FirstBytes.ENOUGH + 8); n++) {
            budget.step();
            ByteBuffer peeked = ByteBuffer.wrap(bytes, 0, n);
            FirstBytes.Kind kind = FirstBytes.classify(peeked, known ? Guest.BLOCKS : null);
            if (peeked.position() != 0 || peeked.limit() != n) {
                throw new AssertionError("it took a byte of " + n);
            }
            if (before != FirstBytes.Kind.NEED_MORE && kind != before) {
                throw new AssertionError(before + " becomes " + kind + " with byte " + n);
            }
            if (kind == FirstBytes.Kind.NEED_MORE && n >= FirstBytes.ENOUGH) {
                throw new AssertionError("no verdict after " + n + " bytes");
            }
            before = kind;
        }
    }
}
