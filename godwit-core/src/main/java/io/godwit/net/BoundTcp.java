// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;

/** Java's own; virtual threads may wait. */
record BoundTcp(Binding binding) implements BoundSocket {
    @Override
    public Address address() {
        return binding.address();
    }

    @Override
    public BlockingSocket accept() throws IOException {
        return BlockingSocket.of(binding.channel().accept());
    }

    @Override
    public Thread.Builder thread() {
        return Thread.ofVirtual();
    }

    @Override
    public void close() throws IOException {
        binding.undo();
    }
}
