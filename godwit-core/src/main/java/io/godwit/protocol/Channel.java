// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

/** A migration's channels by role. */
public enum Channel {
    /** Source to destination: the stream; the other way: the return path. */
    MAIN,
    /** Requested pages only, source to destination ({@code spec/sequences.md §7}). */
    PREEMPT
}
