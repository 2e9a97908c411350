// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.nio.channels.ServerSocketChannel;

/**
 * A listening socket for those who accept on threads of their own instead of on a {@link Reactor}. A unix socket's file gets mode 0600; one
 * that a dead process left is replaced, a live one's is not.
 */
public final class BoundSocket implements AutoCloseable {
    private final Binding binding;

    private BoundSocket(Binding binding) {
        this.binding = binding;
    }

    /** @throws IOException with a sentence: the address, what is wrong and what to do */
    public static BoundSocket bind(Address address) throws IOException {
        return new BoundSocket(Binding.bind(address));
    }

    /** Where it listens, with the port that the system chose. */
    public Address address() {
        return binding.address();
    }

    /** Blocking. */
    public ServerSocketChannel channel() {
        return binding.channel();
    }

    /** Ends every accept, and removes a unix socket's file if it is still the one that was made here. */
    @Override
    public void close() throws IOException {
        binding.undo();
    }
}
