// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.page.BlockTable;
import io.godwit.protocol.Channel;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MultifdParameters;
import io.godwit.wire.DecoderOptions;
import io.godwit.wire.MultifdDecoder;
import io.godwit.wire.MultifdMessage;
import io.godwit.wire.MultifdSetup;
import io.godwit.wire.PageRecord;
import io.godwit.wire.PreemptDecoder;
import io.godwit.wire.ReturnPathDecoder;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamContext;
import io.godwit.wire.StreamDecoder;
import io.godwit.wire.StreamLimits;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import java.util.IdentityHashMap;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads along on the source's connections and tells the trace which messages were handed to the network. Never touched unless there is a trace. */
final class Tap {
    /** One direction of one connection. */
    private interface Reading {
        /** The next message's text, or null if more bytes are needed. */
        @Nullable
        String next(ByteBuffer in) throws WireException;
    }

    private static final class Way {
        final Reading reading;
        ByteBuffer kept = ByteBuffer.allocate(64 * 1024);
        boolean lost;

        Way(Reading reading) {
            this.reading = reading;
        }
    }

    private final Trace trace;
    private final BlockTable blocks;
    private final DecoderOptions options;
    private final IdentityHashMap<SimLink, Way[]> ways = new IdentityHashMap<>();
    private final @Nullable MultifdParameters multifd;
    private @Nullable StreamContext context;

    Tap(Trace trace, BlockTable blocks, MigrationOptions migration) {
        this.trace = trace;
        this.blocks = blocks;
        this.options = DecoderOptions.PLAIN
                .withPostcopyRam(migration.postcopy())
                .withXbzrle(true)
                .withMultifd(migration.multifd() != null);
        this.multifd = migration.multifd();
    }

    void opened(SimLink link, Channel channel, boolean recovery) {
        if (!trace.on()) {
            return;
        }
        StreamContext known = context == null ? new StreamContext(blocks, 1) : context;
        Reading forward = switch (channel) {
            case MAIN ->
                stream(
                        recovery
                                ? StreamDecoder.recovery(StreamLimits.DEFAULT, options, known)
                                : new StreamDecoder(StreamLimits.DEFAULT, options));
            case PREEMPT -> preempt(new PreemptDecoder(known.blocks()));
            case MULTIFD -> multifd(Objects.requireNonNull(multifd));
        };
        ReturnPathDecoder answers = new ReturnPathDecoder(blocks);
        Reading backward = in -> {
            ReturnPathMessage message = answers.next(in);
            return message == null ? null : message.toString();
        };
        ways.put(link, new Way[] {new Way(forward), new Way(backward)});
    }

    private Reading stream(StreamDecoder decoder) {
        return in -> {
            StreamMessage message = decoder.next(in);
            if (decoder.context() != null) {
                context = decoder.context();
            }
            return message == null ? null : text(message, in);
        };
    }

    private Reading multifd(MultifdParameters parameters) {
        MultifdDecoder decoder =
                new MultifdDecoder(new MultifdSetup(null, parameters.channels(), parameters.compression()));
        decoder.blocks(blocks);
        return in -> {
            MultifdMessage message = decoder.next(in);
            return message == null ? null : message.toString();
        };
    }

    private Reading preempt(PreemptDecoder decoder) {
        return in -> {
            StreamMessage message = decoder.next(in);
            return message == null ? null : text(message, in);
        };
    }

    private String text(StreamMessage message, ByteBuffer in) {
        if (!(message instanceof PageRecord record)) {
            return message.toString();
        }
        String page =
                "page " + record.page() + " of " + blocks.get(record.block()).name();
        return record.zero()
                ? page + ", zero"
                : page + ", begins with %016x".formatted(in.getLong(record.dataPosition()));
    }

    /** So many bytes of {@code buffer} from {@code start} on were written. */
    void bytes(String who, SimLink link, int end, ByteBuffer buffer, int start, int count) {
        Way[] both = ways.get(link);
        if (both == null || both[end].lost) {
            trace.event(who, () -> link + ": " + count + " bytes");
            return;
        }
        Way way = both[end];
        if (way.kept.remaining() < count) {
            ByteBuffer larger = ByteBuffer.allocate(2 * (way.kept.capacity() + count));
            larger.put(way.kept.flip());
            way.kept = larger;
        }
        way.kept.put(way.kept.position(), buffer, start, count).position(way.kept.position() + count);
        way.kept.flip();
        try {
            String text;
            while ((text = way.reading.next(way.kept)) != null) {
                String line = text;
                trace.event(who, () -> link + ": > " + line);
            }
        } catch (WireException e) {
            way.lost = true;
            trace.event(who, () -> link + ": what is written cannot be read: " + e.getMessage());
        }
        if (way.kept.hasRemaining()) {
            trace.event(who, () -> link + ": > (" + way.kept.remaining() + " bytes of a message)");
        }
        way.kept.compact();
    }
}
