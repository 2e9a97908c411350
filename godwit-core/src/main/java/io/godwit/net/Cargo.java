// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.sys.Descriptor;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Bytes on their way from one descriptor to another: loaded when there are none, then unloaded to the last. Used by one thread. */
final class Cargo {
    private static final int BYTES = 256 << 10;

    private final ByteBuffer bytes = ByteBuffer.allocateDirect(BYTES).limit(0);
    private boolean ended;

    boolean isEmpty() {
        return !bytes.hasRemaining();
    }

    /** No more comes from where it is loaded. */
    boolean ended() {
        return ended;
    }

    void end() {
        ended = true;
    }

    void drop() {
        bytes.limit(bytes.position());
    }

    /** Takes what is there; only while empty. */
    void load(Descriptor from) throws IOException {
        bytes.clear();
        try {
            ended = from.read(bytes) == -1;
        } finally {
            bytes.flip();
        }
    }

    void unload(Descriptor to) throws IOException {
        to.write(bytes);
    }
}
