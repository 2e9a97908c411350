// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import org.jspecify.annotations.Nullable;

/** QEMU 10.0's migration capabilities in its enum order; each says whether this endpoint can honour it ({@code spec/qmp.md §5}). */
public enum Capability {
    XBZRLE("xbzrle", null),
    RDMA_PIN_ALL("rdma-pin-all", "there is no RDMA transport"),
    AUTO_CONVERGE("auto-converge", "the guest's threads cannot be throttled"),
    ZERO_BLOCKS("zero-blocks", "there is no block migration"),
    EVENTS("events", null),
    POSTCOPY_RAM("postcopy-ram", null),
    X_COLO("x-colo", "there is no COLO"),
    RELEASE_RAM("release-ram", "memory released while it is sent could not be sent again after a broken channel"),
    RETURN_PATH("return-path", null),
    PAUSE_BEFORE_SWITCHOVER("pause-before-switchover", null),
    MULTIFD("multifd", null),
    DIRTY_BITMAPS("dirty-bitmaps", "the guest has no block devices"),
    POSTCOPY_BLOCKTIME("postcopy-blocktime", null),
    LATE_BLOCK_ACTIVATE("late-block-activate", "the guest has no block devices"),
    X_IGNORE_SHARED("x-ignore-shared", "every block is sent"),
    VALIDATE_UUID("validate-uuid", null),
    BACKGROUND_SNAPSHOT("background-snapshot", "snapshots to a file are not implemented"),
    ZERO_COPY_SEND("zero-copy-send", "pages are copied so that a page and its header agree"),
    POSTCOPY_PREEMPT("postcopy-preempt", null),
    SWITCHOVER_ACK("switchover-ack", null),
    DIRTY_LIMIT("dirty-limit", "the guest's threads cannot be throttled"),
    MAPPED_RAM(
            "mapped-ram",
            "a migration carries its pages one behind the other; a file in which they have places is written by"
                    + " 'godwit store export --mapped-ram' and read by 'godwit store import'"),
    /** Of QEMU 2.4 to 9.0; its place is behind those of 10.0. For incoming migrations only. */
    COMPRESS("compress", null);

    private final String word;
    private final @Nullable String whyNot;

    Capability(String word, @Nullable String whyNot) {
        this.word = word;
        this.whyNot = whyNot;
    }

    public String word() {
        return word;
    }

    /** Why this endpoint cannot honour it, or null if it can. */
    public @Nullable String whyNot() {
        return whyNot;
    }

    /** The capability of that name, or null. */
    public static @Nullable Capability of(String word) {
        for (Capability capability : values()) {
            if (capability.word.equals(word)) {
                return capability;
            }
        }
        return null;
    }
}
