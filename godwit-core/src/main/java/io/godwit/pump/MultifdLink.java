// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationMachine;
import io.godwit.protocol.DestinationState;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What multifd's channels mean for a {@link DestinationSession}: their bytes, the sync points where they and main meet, and their failures. Does nothing in a migration without such channels.
 * Used by the session's loop only.
 */
final class MultifdLink {
    private static final int[] NONE = {};

    private final @Nullable MultifdIncoming incoming;
    private final DestinationMachine machine;
    private final IncomingChannels channels;
    private final DestinationHost host;
    private final DestinationStats stats;
    private final Consumer<DestinationInput> step;

    MultifdLink(
            @Nullable MultifdIncoming incoming,
            DestinationMachine machine,
            IncomingChannels channels,
            DestinationHost host,
            DestinationStats stats,
            Consumer<DestinationInput> step) {
        this.incoming = incoming;
        this.machine = machine;
        this.channels = channels;
        this.host = host;
        this.stats = stats;
        this.step = step;
    }

    boolean has(int connection) {
        return incoming != null && incoming.has(connection);
    }

    int[] connections() {
        return incoming == null ? NONE : incoming.connections();
    }

    void blocks(BlockTable blocks) {
        if (incoming != null) {
            incoming.blocks(blocks);
        }
    }

    void forget() {
        if (incoming != null) {
            incoming.forget();
        }
    }

    /** When {@link #tick} is wanted, or {@link Long#MAX_VALUE}. */
    long nextTick(long patienceMillis) {
        return incoming == null ? Long.MAX_VALUE : incoming.deadline(patienceMillis);
    }

    void tick(long patienceMillis, long now) {
        if (incoming != null && now >= incoming.deadline(patienceMillis)) {
            broken(incoming.lackingSentence());
        }
    }

    /** Whether nothing more may be read from main before the channels have come to its sync point. */
    boolean mainWaits() {
        return incoming != null && incoming.mainWaits();
    }

    boolean waits(int connection) {
        return incoming != null && incoming.waits(connection);
    }

    /** A connection whose first bytes say that it is such a channel. */
    void take(int connection, ByteBuffer in) {
        if (incoming == null) {
            throw new IllegalStateException("a multifd channel was judged good in a migration without multifd");
        }
        try {
            incoming.take(connection, in);
        } catch (WireException e) {
            throw new IllegalStateException("a multifd channel was judged good and is not", e);
        }
    }

    void broken(int connection, String reason) {
        if (incoming == null || incoming.ended(connection)) {
            broken(reason);
        } else {
            meet();
        }
    }

    private void broken(String reason) {
        step.accept(new DestinationInput.Broken(Channel.MULTIFD, reason));
    }

    void read(int connection, ByteBuffer in, IncomingPages pages) {
        if (incoming == null || !receiving()) {
            // Past the switch the channels idle until the end (spec/multifd.md §6).
            in.position(in.limit());
            return;
        }
        int before = in.remaining();
        try {
            incoming.read(connection, in, pages);
            stats.multifdBytes += before - in.remaining();
            meet();
            return;
        } catch (WireException e) {
            broken(String.valueOf(e.getMessage()));
        } catch (StorageException e) {
            step.accept(new DestinationInput.StorageFailed(String.valueOf(e.getMessage())));
        }
        in.position(in.limit());
    }

    /** A message of main's that may be a sync point. */
    void main(StreamMessage message, long now) throws WireException {
        if (incoming != null && receiving()) {
            incoming.main(message, now);
            meet();
        }
    }

    /** Where all have come to the sync point they go on; if one of them never will, that is the end. */
    private void meet() {
        if (incoming == null || !receiving()) {
            return;
        }
        if (incoming.met()) {
            incoming.goOn();
            host.again(channels.main());
            for (int connection : incoming.connections()) {
                host.again(connection);
            }
        } else if (incoming.missed() >= 0) {
            broken("channel " + incoming.missed() + " has ended before the sync point of the main channel");
        }
    }

    /** Whether pages of another attempt may have come on a channel that was taken for this one's; the migration has failed then. */
    boolean mixed() {
        int foreign = incoming == null || !receiving() ? -1 : incoming.foreign(machine.nonce());
        if (foreign >= 0) {
            broken("channel " + foreign + " belongs to an earlier attempt; migrate again");
        }
        return foreign >= 0;
    }

    private boolean receiving() {
        return machine.state() instanceof DestinationState.Active;
    }
}
