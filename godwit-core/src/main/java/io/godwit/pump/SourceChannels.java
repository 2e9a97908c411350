// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.protocol.Channel;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The connections of an outgoing migration: which is which, and what waits to be written to each. Used by the migration's loop only. */
final class SourceChannels {
    private final SourceHost host;
    private final SourceOutlets outlets;
    private int main = -1;
    private int preempt = -1;
    /** Connections of the multifd channels, -1 where there is none. */
    private int[] multifd = {};

    private int multifdConnected;

    SourceChannels(SourceHost host, SourceOutlets outlets) {
        this.host = host;
        this.outlets = outlets;
    }

    /** Number of the main channel's connection, or -1. */
    int main() {
        return main;
    }

    boolean hasMain() {
        return main >= 0;
    }

    boolean hasPreempt() {
        return preempt >= 0;
    }

    boolean isMain(int connection) {
        return connection >= 0 && connection == main;
    }

    boolean isPreempt(int connection) {
        return connection >= 0 && connection == preempt;
    }

    /** Number of the multifd channel with that connection, or -1. */
    int multifd(int connection) {
        for (int i = 0; i < multifd.length; i++) {
            if (multifd[i] == connection) {
                return i;
            }
        }
        return -1;
    }

    @Nullable
    Outbox outbox(int connection) {
        int channel = multifd(connection);
        if (isMain(connection)) {
            return outlets.main();
        }
        if (isPreempt(connection)) {
            return outlets.preempt();
        }
        return connection >= 0 && channel >= 0 ? pageChannels().outbox(channel) : null;
    }

    void connect(Channel channel) {
        switch (channel) {
            case MAIN -> {
                outlets.main().reset();
                main = host.connect(channel);
            }
            case PREEMPT -> {
                outlets.preempt().reset();
                preempt = host.connect(channel);
            }
            case MULTIFD -> {
                multifd = new int[pageChannels().channels()];
                Arrays.fill(multifd, -1);
                multifdConnected = 0;
                for (int i = 0; i < multifd.length; i++) {
                    multifd[i] = host.connect(channel);
                }
            }
        }
    }

    /** A multifd channel is connected; true if it was the last that was waited for. */
    boolean connectedLast() {
        return ++multifdConnected == multifd.length;
    }

    /** A connection that is not main's is gone. */
    void forget(int connection) {
        if (isPreempt(connection)) {
            preempt = -1;
        } else if (multifd(connection) >= 0) {
            multifd[multifd(connection)] = -1;
        }
    }

    /** Breaks all of them; but those of pages end in order if {@code idle}: nothing more was to come on them. */
    void drop(String reason, boolean idle) {
        int formerMain = main;
        int formerPreempt = preempt;
        int[] formerMultifd = multifd;
        main = -1;
        preempt = -1;
        multifd = new int[0];
        outlets.main().reset();
        outlets.preempt().reset();
        if (formerMain >= 0) {
            host.abort(formerMain, reason);
        }
        if (formerPreempt >= 0) {
            host.abort(formerPreempt, reason);
        }
        for (int connection : formerMultifd) {
            if (connection >= 0 && idle) {
                host.close(connection, new Outbox());
            } else if (connection >= 0) {
                host.abort(connection, reason);
            }
        }
        resetMultifd();
    }

    /** Closes all of them once what waits is written. */
    void close() {
        if (main >= 0) {
            host.close(main, outlets.takeMain());
        }
        if (preempt >= 0) {
            host.close(preempt, outlets.takePreempt());
        }
        for (int channel = 0; channel < multifd.length; channel++) {
            if (multifd[channel] >= 0) {
                host.close(multifd[channel], pageChannels().take(channel));
            }
        }
        main = -1;
        preempt = -1;
        multifd = new int[0];
        resetMultifd();
    }

    private void resetMultifd() {
        if (outlets.multifd() != null) {
            pageChannels().reset();
        }
    }

    private MultifdOutgoing pageChannels() {
        return Objects.requireNonNull(outlets.multifd());
    }
}
