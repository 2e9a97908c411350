// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Budget;
import io.godwit.fuzz.Pieces;
import io.godwit.fuzz.ShortReads;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A mapped-ram file. The first byte of an input is how much a read gives at most, the rest is the file. */
class MappedRamFuzzTest {
    private static final int PAGES_READ = 64;

    @FuzzTest
    void mappedRam(byte[] input) {
        byte[] file = Pieces.rest(input, 1);
        Budget.holds(file.length, budget -> read(file, Integer.MAX_VALUE, budget::step));
        int most = 1 + Pieces.control(input, 0) * 16;
        List<String> whole = read(file, Integer.MAX_VALUE, () -> {});
        List<String> pieces = read(file, most, () -> {});
        if (!whole.equals(pieces)) {
            throw new AssertionError("in pieces " + pieces + "\nat once " + whole);
        }
    }

    private static List<String> read(byte[] file, int most, Runnable step) {
        List<String> said = new ArrayList<>();
        MappedRamReader reader = new MappedRamReader(
                (position, into) -> ShortReads.part(file, position, into, most),
                0,
                StreamLimits.DEFAULT,
                DecoderOptions.PLAIN);
        int blocks = 0;
        try {
            for (StreamMessage m = reader.next(); m != null; m = reader.next()) {
                step.run();
                said.add(m instanceof StreamMessage.MemSize ? "MemSize" : Guest.text(m));
                if (m instanceof StreamMessage.MemSize list) {
                    blocks = list.blocks().size();
                }
            }
        } catch (WireException e) {
            said.add(e.getMessage());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (int i = 0; i < blocks; i++) {
            said.add(block(reader, i));
        }
        return said;
    }

    /** What is stored of a block. */
    private static String block(MappedRamReader reader, int block) {
        ByteBuffer page = ByteBuffer.allocate(Pages.SIZE);
        int hash = 0;
        try {
            PageBitmap bitmap = reader.bitmap(block);
            long at = bitmap.nextSet(0);
            for (int i = 0; i < PAGES_READ && at >= 0; i++, at = bitmap.nextSet(at + 1)) {
                reader.pages(block, at, page.clear());
                hash = 31 * hash + page.flip().hashCode();
            }
            return block + ": " + bitmap.cardinality() + " " + hash;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (WireException e) {
            return String.valueOf(e.getMessage());
        }
    }
}
