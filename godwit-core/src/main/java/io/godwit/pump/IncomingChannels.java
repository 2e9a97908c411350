// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.protocol.MigrationOptions;
import io.godwit.wire.DecoderOptions;
import io.godwit.wire.PreemptDecoder;
import io.godwit.wire.StreamContext;
import io.godwit.wire.StreamDecoder;
import io.godwit.wire.StreamLimits;
import org.jspecify.annotations.Nullable;

/** The connections that carry a destination's migration now, what reads each of them, and what the first one taught for a recovery. Used by the loop only. */
final class IncomingChannels {
    private final DecoderOptions decoding;
    private int main = -1;
    private int preempt = -1;
    private @Nullable StreamDecoder stream;
    private @Nullable PreemptDecoder pages;
    private @Nullable StreamContext sections;

    IncomingChannels(MigrationOptions options) {
        this.decoding = DecoderOptions.PLAIN
                .withPostcopyRam(options.postcopy())
                .withXbzrle(options.xbzrle())
                .withCompress(options.compress())
                .withMultifd(options.multifd() != null);
    }

    /** Number of the main channel's connection, or -1. */
    int main() {
        return main;
    }

    /** Number of the preempt channel's connection, or -1. */
    int preempt() {
        return preempt;
    }

    /** Reads the main channel; null if there is none. */
    @Nullable
    StreamDecoder stream() {
        return stream;
    }

    /** Reads the preempt channel; null if there is none. */
    @Nullable
    PreemptDecoder pages() {
        return pages;
    }

    void begin(int connection) {
        sections = null;
        stream = new StreamDecoder(StreamLimits.DEFAULT, decoding);
        main = connection;
    }

    /** The block list has come and was found good: a recovery relies on it. */
    void learn() {
        StreamDecoder current = stream;
        sections = current == null ? null : current.context();
    }

    /** What an earlier process had learnt. */
    void remember(StreamContext context) {
        sections = context;
    }

    /** What the first connection taught; only after it was taught. */
    StreamContext taught() {
        return known();
    }

    void recover(int connection) {
        stream = StreamDecoder.recovery(StreamLimits.DEFAULT, decoding, known());
        main = connection;
    }

    void addPreempt(int connection) {
        pages = new PreemptDecoder(known().blocks());
        preempt = connection;
    }

    /** From here on nothing of them is heard. */
    void forget() {
        main = -1;
        preempt = -1;
        stream = null;
        pages = null;
    }

    private StreamContext known() {
        StreamContext known = sections;
        if (known == null) {
            throw new IllegalStateException("a recovery or a preempt channel before the block list");
        }
        return known;
    }
}
