// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** Builds multifd channels with the encoder, spoils them, and decodes them. Blocks are those of {@link Wire}. */
final class MultifdWire {
    static final UUID GUEST = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");
    static final int CHANNELS = 3;
    static final int ID = 2;
    static final int INIT = MultifdFormat.INIT_SIZE;
    static final int DATA = MultifdFormat.PACKET_SIZE;

    private MultifdWire() {}

    /** A page: compressible, different from all others. */
    static byte[] page(long seed) {
        byte[] page = new byte[Pages.SIZE];
        new Random(seed).nextBytes(page);
        Arrays.fill(page, 100, Pages.SIZE - 500, (byte) seed);
        return page;
    }

    /** What one packet brings: pages of a block, negative ones are zero pages. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Load(int block, long... pages) {
        static Load of(int block, long... pages) {
            return new Load(block, pages);
        }
    }

    /** A whole channel: init, SYNC, then the packets, SYNC. */
    static byte[] channel(MultifdCompression compression, Load... loads) {
        return channel(compression, MultifdCompression.DEFAULT_LEVEL, loads);
    }

    static byte[] channel(MultifdCompression compression, int level, Load... loads) {
        ByteBuffer out = ByteBuffer.allocateDirect(8192 + loads.length * MultifdEncoder.MAX_PACKET);
        MultifdEncoder.init(new MultifdMessage.Init(GUEST, ID), out);
        MultifdEncoder.sync(out, 1);
        try (MultifdEncoder encoder = new MultifdEncoder(Wire.BLOCKS, compression, level, true)) {
            long number = 2;
            for (Load load : loads) {
                packet(encoder, out, load, number++);
            }
            MultifdEncoder.sync(out, number);
        }
        byte[] bytes = new byte[out.flip().remaining()];
        out.get(bytes);
        return bytes;
    }

    static void packet(MultifdEncoder encoder, ByteBuffer out, Load load, long number) {
        encoder.begin(out, load.block());
        for (long page : load.pages()) {
            if (page < 0) {
                encoder.zero(-page);
            } else {
                encoder.page(page).put(page(page));
            }
        }
        encoder.end(number);
    }

    static MultifdDecoder decoder(MultifdCompression compression) {
        MultifdDecoder decoder = new MultifdDecoder(new MultifdSetup(GUEST, CHANNELS, compression));
        decoder.blocks(Wire.BLOCKS);
        return decoder;
    }

    /** Everything that comes out, as text, pages checked against {@link #page}. What remains waits for more. */
    static List<String> decode(MultifdDecoder decoder, byte[] bytes) throws WireException {
        List<String> messages = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(bytes);
        for (MultifdMessage m = decoder.next(in); m != null; m = decoder.next(in)) {
            messages.add(m.toString());
            if (m instanceof MultifdPage page && !page.zero()) {
                ByteBuffer content = page.buffer().slice(page.dataPosition(), Pages.SIZE);
                if (!content.equals(ByteBuffer.wrap(page(page.page())))) {
                    throw new AssertionError(page + " is not what was sent");
                }
            }
        }
        return messages;
    }

    /** The error that decoding ends with. */
    static WireException refusal(MultifdDecoder decoder, byte[] bytes) {
        try (decoder) {
            List<String> messages = decode(decoder, bytes);
            throw new AssertionError("the decoder took it: " + messages);
        } catch (WireException e) {
            return e;
        }
    }
}
