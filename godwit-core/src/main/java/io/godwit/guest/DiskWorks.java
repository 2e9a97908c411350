// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import java.util.function.Consumer;

/** Does what may take as long as a disk takes, elsewhere, one work after the other in the order in which they were asked for, and tells the loop. */
public interface DiskWorks {
    /**
     * Called by the loop.
     *
     * @param work throws {@link io.godwit.pump.StorageException} if the disk fails
     * @param done runs on the loop afterwards
     * @param failed hears on the loop, instead, why it could not be done, as a sentence
     */
    void work(Runnable work, Runnable done, Consumer<String> failed);

    /** As {@link #work}, but not before a while has passed in which a disk may have become well. */
    void later(Runnable work, Runnable done, Consumer<String> failed);

    /** Has something done soon that nobody waits for and that hears itself of what goes wrong, beside the works above: these may wait for the disk to be sure of something. Any thread. */
    void beside(Runnable work);
}
