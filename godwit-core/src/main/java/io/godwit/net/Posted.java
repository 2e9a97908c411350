// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

/** Something that the owner's next poll has to tell, whoever found it out. */
@FunctionalInterface
interface Posted {
    /** Runs on the reactor's owner, outside the selector. */
    void deliver(Handler handler);
}
