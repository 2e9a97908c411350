// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.sys.Descriptor;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A descriptor that somebody handed to this process while it ran, until it is used, once, or closed. Thread-safe. */
public final class HandedDescriptor implements AutoCloseable {
    private @Nullable Descriptor descriptor;

    public HandedDescriptor(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /**
     * It is the caller's from now on.
     *
     * @throws IOException with a part of a sentence, if it was taken or closed before
     */
    synchronized Descriptor take() throws IOException {
        Descriptor taken = descriptor;
        if (taken == null) {
            throw new IOException("it was used or closed already; hand over a new one");
        }
        descriptor = null;
        return taken;
    }

    /** Closes it, if nobody has taken it; again does nothing. */
    @Override
    public synchronized void close() {
        Descriptor unused = descriptor;
        descriptor = null;
        if (unused != null) {
            Ferry.closeQuietly(unused);
        }
    }
}
