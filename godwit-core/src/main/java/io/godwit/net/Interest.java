// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/** What a connection wants to be told by the selector. Owner only. */
final class Interest {
    private @Nullable SelectionKey key;
    private int said;
    private boolean wantsRead = true;
    private boolean wantsWrite;
    private boolean endOfStream;

    /** From here on the selector is told; the key has no interest yet. */
    void register(SelectionKey registered) {
        key = registered;
    }

    /** Whether what comes is wanted: the owner wants it, and there may be more. */
    boolean reads() {
        return wantsRead && !endOfStream;
    }

    boolean writes() {
        return wantsWrite;
    }

    void wantRead(boolean want) {
        wantsRead = want;
    }

    void wantWrite(boolean want) {
        wantsWrite = want;
    }

    /** The peer will send no more: the selector would report that for ever. */
    void endOfStream() {
        endOfStream = true;
    }

    /** Tells the selector, if it does not know; {@code owes}: a session has something of its own to send. */
    void tell(boolean owes) {
        int want = (reads() ? SelectionKey.OP_READ : 0) | (wantsWrite || owes ? SelectionKey.OP_WRITE : 0);
        if (want != said && key != null) {
            key.interestOps(want);
            said = want;
        }
    }
}
