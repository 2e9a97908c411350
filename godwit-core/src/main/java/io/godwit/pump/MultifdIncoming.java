// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.protocol.MultifdParameters;
import io.godwit.protocol.Wire;
import io.godwit.wire.MultifdCompression;
import io.godwit.wire.MultifdDecoder;
import io.godwit.wire.MultifdMessage;
import io.godwit.wire.MultifdPacket;
import io.godwit.wire.MultifdPage;
import io.godwit.wire.MultifdSetup;
import io.godwit.wire.MultifdSyncPoints;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A destination's multifd channels in precopy, {@code spec/multifd.md}: who may be one, what comes on them, and the sync points, at which the main channel waits for all of them and each
 * of them for the main channel. Who waits is not read from: {@link #waits}. So a page is never overtaken by its older copy, and no more is held of a channel than one packet.
 *
 * <p>Used by the loop only; nothing is allocated per page.
 */
final class MultifdIncoming {
    /** What an unknown connection with the magic number turns out to be. */
    enum Claim {
        /** Its first message is not whole yet. */
        NEED_MORE,
        /** One of the channels that lack. */
        CHANNEL,
        /** Not of this migration: {@link #whyNot} says why. */
        STRANGER,
        /** It, or one that was taken before, is of another attempt; which of them cannot be told. */
        CLASH
    }

    private static final class Channel {
        final int connection;
        final MultifdMessage.Init init;
        final MultifdDecoder decoder;
        boolean synced;
        boolean ended;

        Channel(int connection, MultifdMessage.Init init, MultifdDecoder decoder) {
            this.connection = connection;
            this.init = init;
            this.decoder = decoder;
        }
    }

    private final @Nullable Channel[] channels;
    private final MultifdCompression compression;
    private final MultifdSyncPoints points = new MultifdSyncPoints();
    private @Nullable UUID uuid;
    private @Nullable BlockTable blocks;
    private String whyNot = "";
    private boolean mainSynced;
    private long lackingSince = -1;

    /** @param known whether the guest is known here: then it has the UUID that the operator says, or none; another one's is that of its first channel */
    MultifdIncoming(MultifdParameters parameters, boolean known) {
        this.channels = new Channel[parameters.channels()];
        this.compression = parameters.compression();
        this.uuid = parameters.uuid() == null && known ? MultifdMessage.Init.NO_UUID : parameters.uuid();
    }

    /** Channels that have not come. */
    int lacking() {
        int count = 0;
        for (Channel channel : channels) {
            count += channel == null ? 1 : 0;
        }
        return count;
    }

    /**
     * Looks at an unknown connection's first bytes, which stay unconsumed.
     *
     * @param nonce by which the source names its migration, or -1
     */
    Claim judge(ByteBuffer in, int nonce) {
        MultifdMessage.Init init;
        try (MultifdDecoder decoder = new MultifdDecoder(setup(MultifdCompression.NONE))) {
            init = (MultifdMessage.Init) decoder.next(in.duplicate());
        } catch (WireException e) {
            whyNot = String.valueOf(e.getMessage());
            return Claim.STRANGER;
        }
        if (init == null) {
            return Claim.NEED_MORE;
        }
        if (foreign(init, nonce)) {
            whyNot = "it is a channel of another migration, or of an earlier attempt";
            return Claim.STRANGER;
        }
        for (Channel channel : channels) {
            if (channel != null && (channel.init.id() == init.id() || channel.init.attempt() != init.attempt())) {
                whyNot = "it says that it is channel " + init.id() + " of this migration, and is not";
                return nonce >= 0 && channel.init.attempt() == Wire.keepAlive(nonce) ? Claim.STRANGER : Claim.CLASH;
            }
        }
        return Claim.CHANNEL;
    }

    /** Why the last one judged is a stranger. */
    String whyNot() {
        return whyNot;
    }

    /** Takes a connection that was judged to be a channel. */
    void take(int connection, ByteBuffer in) throws WireException {
        MultifdDecoder decoder = new MultifdDecoder(setup(compression));
        MultifdMessage.Init init = (MultifdMessage.Init) decoder.next(in);
        if (init == null) {
            throw new IllegalStateException("a channel was taken before it was judged");
        }
        uuid = init.uuid();
        if (blocks != null) {
            decoder.blocks(blocks);
        }
        channels[init.id()] = new Channel(connection, init, decoder);
        if (lacking() == 0) {
            lackingSince = -1;
        }
    }

    private MultifdSetup setup(MultifdCompression packed) {
        return new MultifdSetup(uuid, channels.length, packed);
    }

    /** The main channel's block list was adopted; {@code table} is ours. */
    void blocks(BlockTable table) {
        blocks = table;
        for (Channel channel : channels) {
            if (channel != null) {
                channel.decoder.blocks(table);
            }
        }
    }

    boolean has(int connection) {
        return find(connection) != null;
    }

    /** Whether nothing is to be read from the connection before all others have come as far. */
    boolean waits(int connection) {
        Channel channel = find(connection);
        return channel != null && channel.synced;
    }

    /** Whether nothing is to be read from the main channel before the others have come as far. */
    boolean mainWaits() {
        return mainSynced;
    }

    /** Stores what has come on a channel, up to its next sync point. */
    void read(int connection, ByteBuffer in, IncomingPages pages) throws WireException {
        Channel channel = find(connection);
        while (channel != null && !channel.synced) {
            MultifdMessage message = channel.decoder.next(in);
            if (message == null) {
                return;
            }
            switch (message) {
                case MultifdPage page -> pages.store(page, page.zero() ? 0 : channel.decoder.following(in));
                case MultifdMessage.Sync _ -> channel.synced = true;
                case MultifdMessage.Init _, MultifdPacket _ -> {}
            }
        }
    }

    /** The next message of the main channel that may be a sync point. */
    void main(StreamMessage message, long now) {
        if (points.isSyncPoint(message)) {
            mainSynced = true;
            if (lacking() > 0) {
                lackingSince = now;
            }
        }
    }

    /** Whether all have come to the same sync point: {@link #goOn} is next. */
    boolean met() {
        if (!mainSynced) {
            return false;
        }
        for (Channel channel : channels) {
            if (channel == null || !channel.synced) {
                return false;
            }
        }
        return true;
    }

    /** Who waits at the sync point may be read from again. */
    void goOn() {
        mainSynced = false;
        for (Channel channel : channels) {
            if (channel != null) {
                channel.synced = false;
            }
        }
    }

    /**
     * The connection of a channel is gone, which is no fault between two packets: a source closes them when it has said everything.
     *
     * @return whether it was inside a packet
     */
    boolean ended(int connection) {
        Channel channel = find(connection);
        if (channel == null) {
            return false;
        }
        channel.ended = true;
        return !channel.decoder.betweenPackets();
    }

    /** Number of a channel that is gone and for which the main channel waits, or -1. */
    int missed() {
        for (Channel channel : channels) {
            if (mainSynced && channel != null && channel.ended && !channel.synced) {
                return channel.init.id();
            }
        }
        return -1;
    }

    /** Number of a channel that belongs to another migration than the one of that nonce, or -1. */
    int foreign(int nonce) {
        for (Channel channel : channels) {
            if (channel != null && foreign(channel.init, nonce)) {
                return channel.init.id();
            }
        }
        return -1;
    }

    private static boolean foreign(MultifdMessage.Init init, int nonce) {
        return nonce >= 0 && init.attempt() != 0 && init.attempt() != Wire.keepAlive(nonce);
    }

    /** When the patience with channels that lack is over, or {@link Long#MAX_VALUE}. */
    long deadline(long timeoutMillis) {
        return lackingSince < 0 || timeoutMillis == 0 ? Long.MAX_VALUE : lackingSince + timeoutMillis * 1_000_000;
    }

    String lackingSentence() {
        return "only " + (channels.length - lacking()) + " of " + channels.length
                + " channels have come: set multifd-channels alike at both ends";
    }

    /** Connections of all channels. */
    int[] connections() {
        int[] connections = new int[channels.length - lacking()];
        int i = 0;
        for (Channel channel : channels) {
            if (channel != null) {
                connections[i++] = channel.connection;
            }
        }
        return connections;
    }

    /** From here on nothing of them is heard. */
    void forget() {
        mainSynced = false;
        lackingSince = -1;
        for (int i = 0; i < channels.length; i++) {
            Channel channel = channels[i];
            if (channel != null) {
                channel.decoder.close();
                channels[i] = null;
            }
        }
    }

    private @Nullable Channel find(int connection) {
        for (Channel channel : channels) {
            if (channel != null && channel.connection == connection && !channel.ended) {
                return channel;
            }
        }
        return null;
    }
}
