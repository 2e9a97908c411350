// SPDX-License-Identifier: Apache-2.0

package io.godwit.page;

/** The target page, the unit of everything that moves: 4096 bytes ({@code spec/stream.md §1}). */
public final class Pages {
    /** Bytes in a page. */
    public static final int SIZE = 4096;
    /** log2 of {@link #SIZE}. */
    public static final int SHIFT = 12;

    private Pages() {}
}
