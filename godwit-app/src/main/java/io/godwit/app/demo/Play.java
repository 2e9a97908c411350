// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.LabFailed;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The whole demonstration, with all that it starts. {@link #run} is for one thread, the rest for any. */
interface Play extends AutoCloseable {
    /** Plays it from the first to the last. */
    void run() throws LabFailed, IOException;

    /** Which process has ended, or does so now, as a sentence; null if all live. */
    @Nullable
    String dead();

    /** What the processes and the relays said last, so many lines of each. */
    List<String> tails(int most);

    /** Ends everything, whatever state it is in, and removes all that was made. */
    @Override
    void close();
}
