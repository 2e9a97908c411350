// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

/** Values that travel inside PING, PONG and SHUT ({@code spec/stream.md §6.1}), QEMU's and Godwit's own. */
public final class Wire {
    /** PING right after OPEN_RETURN_PATH. */
    public static final int PING_OPENED = 1;
    /** PING after the last RAM_DISCARD. */
    public static final int PING_DISCARDED = 2;
    /** PING inside PACKAGED, just before RUN: its PONG proves that the destination has loaded the device state. */
    public static final int PING_LOADED = 3;
    /** PING after PACKAGED. */
    public static final int PING_PACKAGED = 4;
    /** SHUT status of a destination that is done. */
    public static final int SHUT_OK = 0;
    /** SHUT status of a destination that failed. */
    public static final int SHUT_FAILED = 1;

    private static final int GODWIT = 0x4757_0000;

    private Wire() {}

    /** The PING value by which a Godwit source keeps the path under watch and names its migration. */
    public static int keepAlive(int nonce) {
        return GODWIT | nonce;
    }

    public static boolean isKeepAlive(int value) {
        return (value & 0xffff_0000) == GODWIT;
    }

    /**
     * SHUT status by which a Godwit destination answers a recovery of the migration named by the nonce, whose guest it never got whole and can never run.
     * QEMU's source takes any status but 0 as a failure, so it is no new message.
     */
    public static int neverRan(int nonce) {
        return GODWIT | nonce;
    }
}
