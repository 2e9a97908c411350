// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

/** What hangs on a selector's key. All of it runs on the reactor's owner. */
interface Registered {
    /** The selector found this ready. */
    void ready(int readyOps, Handler handler);

    /** The reactor is closing: let go of the channel and tell nobody. */
    void drop();
}
