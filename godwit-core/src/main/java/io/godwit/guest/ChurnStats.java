// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import java.util.List;

/**
 * What a {@link ChurnGuest} has done so far, counted over all hosts it ran on but for the reads.
 *
 * @param pagesWritten by all writers
 * @param pagesRead by the readers, since this guest was made here
 * @param damages met while running
 * @param writers one entry per writer
 */
public record ChurnStats(long pagesWritten, long pagesRead, long damages, List<Writer> writers) {
    /**
     * One writer: it lives if {@code pages} grows.
     *
     * @param pages pages it has written
     * @param sweep the sweep it is writing, from 1
     * @param position its next page in the sweep
     */
    public record Writer(int writer, long pages, long sweep, long position) {}
}
