// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

/** Named numbers of the main and preempt channel; all integers there are big-endian ({@code spec/stream.md}). */
final class WireFormat {
    /** "QEVM", §2. */
    static final int MAGIC = 0x5145564d;

    static final int VERSION = 3;

    // Section types, §2.
    static final int EOF = 0x00;
    static final int START = 0x01;
    static final int PART = 0x02;
    static final int END = 0x03;
    static final int FULL = 0x04;
    static final int SUBSECTION = 0x05;
    static final int VM_DESCRIPTION = 0x06;
    static final int CONFIGURATION = 0x07;
    static final int COMMAND = 0x08;
    static final int FOOTER = 0x7e;

    // Commands, §6.
    static final int OPEN_RETURN_PATH = 1;
    static final int PING = 2;
    static final int POSTCOPY_ADVISE = 3;
    static final int POSTCOPY_LISTEN = 4;
    static final int POSTCOPY_RUN = 5;
    static final int POSTCOPY_RAM_DISCARD = 6;
    static final int PACKAGED = 7;
    static final int ENABLE_COLO = 8;
    static final int POSTCOPY_RESUME = 9;
    static final int RECV_BITMAP = 10;
    static final int SWITCHOVER_START = 11;

    // Flags of a record's word, §7; the other bits are an offset in the block.
    static final int FLAG_FULL = 0x001;
    static final int FLAG_ZERO = 0x002;
    static final int FLAG_MEM_SIZE = 0x004;
    static final int FLAG_PAGE = 0x008;
    static final int FLAG_EOS = 0x010;
    static final int FLAG_CONTINUE = 0x020;
    static final int FLAG_XBZRLE = 0x040;
    static final int FLAG_HOOK = 0x080;
    static final int FLAG_COMPRESS = 0x100;
    static final int FLAG_MULTIFD_FLUSH = 0x200;
    static final int FLAGS = 0xfff;

    /** First byte of an XBZRLE record's data, §7.3. */
    static final int XBZRLE_MARK = 1;

    /** Bytes of type, command and length. */
    static final int COMMAND_HEADER = 5;
    /** Bytes of 7e and section id. */
    static final int FOOTER_SIZE = 5;
    /** Version of the "ram" section, §4; no other is accepted by QEMU. */
    static final int RAM_VERSION = 4;

    static final String RAM = "ram";

    static final String SUBSECTION_PREFIX = "configuration/";
    static final String PAGE_BITS_SUBSECTION = "configuration/target-page-bits";
    static final String CAPABILITIES_SUBSECTION = "configuration/capabilities";
    static final String UUID_SUBSECTION = "configuration/uuid";
    static final String IGNORE_SHARED = "x-ignore-shared";
    static final String MAPPED_RAM = "mapped-ram";

    private WireFormat() {}

    /** {@code u8 length} and the bytes. */
    static int str8Size(String text) {
        return 1 + text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
    }
}
