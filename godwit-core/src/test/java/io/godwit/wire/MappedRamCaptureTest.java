// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.godwit.page.BlockInfo;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.wire.Captures.Connection;
import io.godwit.wire.StreamMessage.Configuration;
import io.godwit.wire.StreamMessage.DeviceState;
import io.godwit.wire.StreamMessage.MemSize;
import io.godwit.wire.StreamMessage.VmDescription;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every mapped-ram file that was written by QEMU. */
class MappedRamCaptureTest {
    static List<Connection> covered() {
        List<Connection> files = Captures.all().stream()
                .filter(c -> c.connection().equals("mapped"))
                .toList();
        assertThat(files).hasSize(5);
        return files;
    }

    private static MappedRamReader reader(SparseFile file) {
        return new MappedRamReader(file, 0, StreamLimits.DEFAULT, DecoderOptions.PLAIN);
    }

    @TestFactory
    Stream<DynamicTest> everyByteIsExplained() {
        return covered().stream()
                .map(c -> dynamicTest(c.toString(), () -> {
                    SparseFile file = new SparseFile(c.forward(), null);
                    MappedRamReader reader = reader(file);
                    List<StreamMessage> messages = new ArrayList<>();
                    BitSet explained = new BitSet();
                    int at = 0;
                    for (StreamMessage m = reader.next(); m != null; m = reader.next()) {
                        messages.add(m);
                        if (m instanceof MemSize list) {
                            explainAreas(list, reader, file, at, explained);
                        } else {
                            explained.set(at, (int) reader.position());
                        }
                        at = (int) reader.position();
                    }

                    assertThat(reader.position()).isEqualTo(file.size());
                    byte[] bytes = file.toBytes();
                    for (int i = explained.nextClearBit(0); i < bytes.length; i = explained.nextClearBit(i + 1)) {
                        assertThat(bytes[i]).as("byte 0x%x is in a hole", i).isZero();
                    }
                    assertThat(messages.get(1)).isInstanceOf(Configuration.class);
                    assertThat(((Configuration) messages.get(1)).capabilities()).containsExactly("mapped-ram");
                    byte[] run = find(messages, DeviceState.class).verbatim();
                    List<DescribedDevice> described = DescribedDevice.parse(
                            find(messages, VmDescription.class).json(), 0);
                    assertThat(DeviceSections.scan(run)).isEqualTo(DeviceSections.cut(run, described));
                }));
    }

    private static <M> M find(List<StreamMessage> messages, Class<M> type) {
        return messages.stream()
                .filter(type::isInstance)
                .map(type::cast)
                .findFirst()
                .orElseThrow();
    }

    /** Word and entries with their headers, bitmaps, stored pages. */
    private static void explainAreas(MemSize list, MappedRamReader reader, SparseFile file, int from, BitSet explained)
            throws Exception {
        int at = from;
        int entry = Long.BYTES;
        long stored = 0;
        for (int block = 0; block < list.blocks().size(); block++) {
            BlockInfo info = list.blocks().get(block).info();
            MappedArea area = list.blocks().get(block).area().orElseThrow();
            entry += 1 + info.name().length() + 8 + MappedArea.HEADER;
            assertThat(area.bitmap()).isEqualTo(at + entry);
            long bitmapEnd = area.bitmap() + MappedArea.bitmapBytes(info.pages());
            explained.set(at, (int) bitmapEnd);
            PageBitmap bitmap = reader.bitmap(block);
            stored += bitmap.cardinality();
            ByteBuffer page = ByteBuffer.allocate(Pages.SIZE);
            for (long p = bitmap.nextSet(0); p >= 0; p = bitmap.nextSet(p + 1)) {
                reader.pages(block, p, page.clear());
                assertThat(page.hasRemaining()).isFalse();
                assertThat(page.flip()).as("a page that is stored is not zero").isNotEqualTo(ByteBuffer.allocate(4096));
                explained.set((int) area.position(p), (int) area.position(p + 1));
            }
            at = (int) area.position(info.pages());
            entry = 0;
        }
        assertThat(at).as("the stream goes on behind the last page").isEqualTo((int) reader.position());
        assertThat(stored).isGreaterThan(40);
        assertThat(file.size()).isGreaterThan(at);
    }

    @TestFactory
    Stream<DynamicTest> isWrittenAgainAsItWas() {
        Random random = Seed.random("isWrittenAgainAsItWas");
        return covered().stream()
                .map(c -> dynamicTest(c.toString(), () -> {
                    byte[] bytes = c.forward();
                    SparseFile copy = copy(new SparseFile(bytes, random));

                    assertThat(copy.size()).isEqualTo(bytes.length);
                    assertThat(Arrays.mismatch(copy.toBytes(), bytes)).isEqualTo(-1);
                    assertThat(copy.written.cardinality()).as("holes are left").isLessThan(bytes.length - (4 << 20));
                }));
    }

    private static SparseFile copy(SparseFile file) throws Exception {
        MappedRamReader reader = reader(file);
        SparseFile copy = new SparseFile();
        MappedRamWriter writer = new MappedRamWriter(copy, 0);
        for (StreamMessage m = reader.next(); m != null; m = reader.next()) {
            if (!(m instanceof MemSize list)) {
                writer.write(m);
                continue;
            }
            MemSize plain = new MemSize(list.blocks().stream()
                    .map(b -> new MemSize.Block(b.info(), b.address()))
                    .toList());
            assertThat(writer.blocks(plain)).isEqualTo(list);
            for (int block = 0; block < list.blocks().size(); block++) {
                copyPages(reader, writer, block);
            }
        }
        return copy;
    }

    private static void copyPages(MappedRamReader reader, MappedRamWriter writer, int block) throws Exception {
        PageBitmap bitmap = reader.bitmap(block);
        for (long p = bitmap.nextSet(0); p >= 0; p = bitmap.nextSet(p)) {
            long end = bitmap.nextClear(p) < 0 ? bitmap.pages() : bitmap.nextClear(p);
            ByteBuffer run = ByteBuffer.allocate((int) (end - p) * Pages.SIZE);
            reader.pages(block, p, run);
            writer.pages(block, p, run.flip());
            p = end;
            if (p == bitmap.pages()) {
                break;
            }
        }
    }
}
