// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.Pages;

/** Named numbers of a multifd channel; all integers there are big-endian ({@code spec/multifd.md}). */
final class MultifdFormat {
    static final int MAGIC = 0x11223344;
    static final int VERSION = 1;

    // The init packet, §1: bytes and places in it. What lies between and behind is reserved and zero.
    static final int INIT_SIZE = 64;
    static final int INIT_UUID = 8;
    static final int INIT_ID = 24;
    /** Godwit's own, in bytes that QEMU reserves and does not look at. */
    static final int INIT_ATTEMPT = 28;

    // A packet, §2: places in it.
    static final int FLAGS = 8;
    static final int PAGES_ALLOC = 12;
    static final int NORMAL_PAGES = 16;
    static final int NEXT_PACKET_SIZE = 20;
    static final int PACKET_NUMBER = 24;
    static final int ZERO_PAGES = 32;
    static final int BLOCK_NAME = 64;
    static final int BLOCK_NAME_SIZE = 256;
    static final int OFFSETS = BLOCK_NAME + BLOCK_NAME_SIZE;
    /** Magic, version and flags: what a packet of device state has in common with the others. */
    static final int PREAMBLE_SIZE = 12;

    /** Most pages in a packet, and entries of its offset array, however many are used. */
    static final int MAX_PAGES = 128;
    /** Bytes of a packet up to its data. */
    static final int PACKET_SIZE = OFFSETS + MAX_PAGES * Long.BYTES;
    /** Most bytes of pages in a packet. */
    static final int MAX_PLAIN = MAX_PAGES * Pages.SIZE;
    /** Most bytes of compressed data that QEMU takes, §4. */
    static final int MAX_COMPRESSED = 2 * MAX_PLAIN;

    // Flags, §3.
    static final int FLAG_SYNC = 0x01;
    static final int COMPRESSION = 0x3e;
    static final int FLAG_DEVICE_STATE = 0x40;

    private MultifdFormat() {}
}
