// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.memory.XxHash64;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The layout of the presence file; integers are little-endian.
 *
 * <pre>
 *   header   8  "GWPRESNC"
 *            4  format, 1
 *            4  attempt: as in the manifest, else the file is about an older VM
 *            8  generation: counts the rewrites; part of every hash's seed
 *            8  XXH64 of the 24 bytes before, seed 0
 *   record   4  "GREC"
 *            4  n, bytes of entries, at most {@link #MAX_PAYLOAD}
 *            n  entries
 *            8  XXH64 of the n + 8 bytes before, seed generation * 2^40 + the record's offset
 *   entry    4  block
 *            4  k, number of words
 *            8  first word
 *         16*k  received bits of 64 pages, zero bits of 64 pages
 * </pre>
 *
 * A later entry replaces what an earlier one said of the same word. The first record that is cut, torn or not hashed right ends the file.
 */
final class PresenceLog {
    static final long MAGIC = 0x434e534552505747L;
    static final int FORMAT = 1;
    static final int HEADER = 32;
    static final int RECORD_MAGIC = 0x43455247;
    static final int RECORD_HEADER = 8;
    static final int ENTRY_HEADER = 16;
    static final int WORD_BYTES = 16;
    static final int HASH = 8;
    static final int MAX_PAYLOAD = (64 << 10) - RECORD_HEADER - HASH;

    private static final int GENERATION_SHIFT = 40;

    private PresenceLog() {}

    static ByteBuffer buffer() {
        return ByteBuffer.allocateDirect(RECORD_HEADER + MAX_PAYLOAD + HASH).order(ByteOrder.LITTLE_ENDIAN);
    }

    static long recordHash(MemorySegment buffer, int length, long generation, long offset) {
        return XxHash64.hash(buffer, 0, length, (generation << GENERATION_SHIFT) + offset);
    }
}
