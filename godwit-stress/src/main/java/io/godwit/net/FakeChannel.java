// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.Set;

/** A socket without a system: it takes all bytes until its output is shut down or it is closed, as the real one's locks see to it one after the other. */
final class FakeChannel extends SocketChannel {
    private boolean shut;
    private int taken;

    FakeChannel() {
        super(SelectorProvider.provider());
    }

    synchronized boolean shut() {
        return shut;
    }

    synchronized int taken() {
        return taken;
    }

    @Override
    public synchronized SocketChannel shutdownOutput() throws ClosedChannelException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
        shut = true;
        return this;
    }

    @Override
    public SocketChannel shutdownInput() {
        return this;
    }

    @Override
    public synchronized int write(ByteBuffer from) throws IOException {
        if (shut || !isOpen()) {
            throw new ClosedChannelException();
        }
        int count = from.remaining();
        from.position(from.limit());
        taken += count;
        return count;
    }

    @Override
    public int read(ByteBuffer into) {
        return -1;
    }

    @Override
    protected void implCloseSelectableChannel() {}

    @Override
    protected void implConfigureBlocking(boolean block) {}

    @Override
    public long write(ByteBuffer[] from, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long read(ByteBuffer[] into, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public SocketChannel bind(SocketAddress local) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <T> SocketChannel setOption(SocketOption<T> name, T value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <T> T getOption(SocketOption<T> name) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return Set.of();
    }

    @Override
    public Socket socket() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isConnected() {
        return true;
    }

    @Override
    public boolean isConnectionPending() {
        return false;
    }

    @Override
    public boolean connect(SocketAddress remote) {
        return true;
    }

    @Override
    public boolean finishConnect() {
        return true;
    }

    @Override
    public SocketAddress getRemoteAddress() {
        throw new UnsupportedOperationException();
    }

    @Override
    public SocketAddress getLocalAddress() {
        throw new UnsupportedOperationException();
    }

    /** What it is registered by: with no selector, so that nothing of it is ever ready. */
    static final class Key extends SelectionKey {
        private int interest;

        @Override
        public SelectableChannel channel() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Selector selector() {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isValid() {
            return true;
        }

        @Override
        public void cancel() {}

        @Override
        public int interestOps() {
            return interest;
        }

        @Override
        public SelectionKey interestOps(int ops) {
            interest = ops;
            return this;
        }

        @Override
        public int readyOps() {
            return 0;
        }
    }
}
