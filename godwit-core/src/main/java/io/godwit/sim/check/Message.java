// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import java.util.Arrays;

/** What travels between the two ends, coded in 16 bits: what it is, and a value of 8 bits. A queue of them is an array that is never changed. */
enum Message {
    /** Header, OPEN_RETURN_PATH, PING 1 and, with postcopy-ram, POSTCOPY_ADVISE. */
    OPENING,
    /** START of "ram" with the block list. */
    BLOCKS,
    /** A page: number and version. */
    PAGE,
    /** A keep-alive PING, its value the nonce. */
    PING,
    /** RAM_DISCARDs of the pages in the set. */
    DISCARD,
    /** PACKAGED whole; the commit point of a postcopy. */
    PACKAGED,
    /** END, devices, EOF; the commit point of a precopy. */
    PRECOPY_END,
    /** END, EOF. */
    POSTCOPY_END,
    /** EOS on the preempt channel. */
    PREEMPT_END,
    /** RECV_BITMAP of the block. */
    ASK_BITMAP,
    /** POSTCOPY_RESUME. */
    RESUME,
    /** PONG: 1, 3 or, from {@link #KEEP_ALIVE} on, the answer to a keep-alive. */
    PONG,
    /** A page is requested. */
    REQUEST,
    /** The received bitmap of a block: two bits the block, four the pages of the whole memory that are there. */
    BITMAP,
    /** RESUME_ACK 1. */
    RESUME_ACK,
    /** SHUT 0, 1 or, from {@link #KEEP_ALIVE} on, "I never had it". */
    SHUT;

    static final int KEEP_ALIVE = 16;
    static final short[] NONE = {};

    private static final Message[] KINDS = values();

    @SuppressWarnings("EnumOrdinal") // read back by this program only, while it runs
    short with(int value) {
        return (short) (ordinal() << 8 | value);
    }

    static Message kind(short code) {
        return KINDS[code >> 8];
    }

    static int value(short code) {
        return code & 0xff;
    }

    static short[] append(short[] queue, short code) {
        short[] longer = Arrays.copyOf(queue, queue.length + 1);
        longer[queue.length] = code;
        return longer;
    }

    static short[] rest(short[] queue) {
        return Arrays.copyOfRange(queue, 1, queue.length);
    }

    static String text(short code) {
        int value = value(code);
        return switch (kind(code)) {
            case PAGE -> "page " + (value & 3) + ((value & 4) == 0 ? "" : ", as written");
            case PING -> "PING of migration " + value;
            case DISCARD -> "RAM_DISCARD " + pages(value);
            case ASK_BITMAP -> "RECV_BITMAP of block " + value;
            case REQUEST -> "request of page " + value;
            case BITMAP -> "received bitmap of block " + (value >> 4) + ": " + pages(value & (3 << (2 * (value >> 4))));
            case PONG -> value < KEEP_ALIVE ? "PONG " + value : "PONG of migration " + (value - KEEP_ALIVE);
            case SHUT -> value < KEEP_ALIVE ? "SHUT " + value : "SHUT: never had migration " + (value - KEEP_ALIVE);
            case OPENING, BLOCKS, PACKAGED, PRECOPY_END, POSTCOPY_END, PREEMPT_END, RESUME, RESUME_ACK ->
                kind(code).name();
        };
    }

    /** A set of pages. */
    static String pages(int set) {
        StringBuilder text = new StringBuilder("pages {");
        for (int page = 0; page < Scene.PAGES; page++) {
            if ((set >> page & 1) != 0) {
                text.append(text.charAt(text.length() - 1) == '{' ? "" : ", ").append(page);
            }
        }
        return text.append("}").toString();
    }
}
