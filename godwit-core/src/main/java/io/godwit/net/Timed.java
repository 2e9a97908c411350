// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

/** Something whose time will be over. All of it runs on the reactor's owner. */
interface Timed {
    /** @return nanoseconds until then, not positive when it is over */
    long left(long now);

    /** It is over, and the reactor has forgotten it; called outside the selector, before it waits. */
    void due();
}
