// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

/** Something that the owner's next poll has to tell, whoever found it out. */
@FunctionalInterface
interface Posted {
    /** Runs on the reactor's owner, outside the selector. */
    void deliver(Handler handler);

    /** The reactor was closed, so it is told to nobody: let go of what came with it. Any thread. */
    default void drop() {}
}
