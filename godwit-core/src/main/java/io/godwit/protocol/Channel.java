// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

/** A migration's channels by role. */
public enum Channel {
    /** Source to destination: the stream; the other way: the return path. */
    MAIN,
    /** Requested pages only, source to destination ({@code spec/sequences.md §7}). */
    PREEMPT,
    /** All channels of pages in precopy, source to destination ({@code spec/multifd.md}); there are several, and they come and go together. */
    MULTIFD;

    /** How a sentence about it begins. */
    String title() {
        return switch (this) {
            case MAIN -> "main channel: ";
            case PREEMPT -> "preempt channel: ";
            case MULTIFD -> "multifd: ";
        };
    }
}
