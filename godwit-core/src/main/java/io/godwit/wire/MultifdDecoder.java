// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static io.godwit.wire.MultifdFormat.MAX_COMPRESSED;
import static io.godwit.wire.MultifdFormat.MAX_PLAIN;
import static io.godwit.wire.MultifdFormat.PACKET_SIZE;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.UUID;
import java.util.zip.DataFormatException;
import org.jspecify.annotations.Nullable;

/**
 * Decodes one multifd channel, {@code spec/multifd.md}, message by message and from any split of its bytes; used as {@link StreamDecoder}.
 *
 * <p>Uncompressed pages are given one by one, in the input buffer itself. A compressed packet is collected, decompressed and checked as a whole
 * before its first page is given: so a channel with compression holds 1.5 MiB, and what the decompressor needs besides, at most 32 MiB.
 *
 * <p>What a single channel cannot know is the caller's: that each {@linkplain MultifdMessage.Init#id number} comes once, and that nothing is
 * read behind a {@link MultifdMessage.Sync} before the main channel is there too.
 *
 * <p>One thread, any at a time. After a {@link WireException} each further call throws the same one. Nothing is allocated per page,
 * and per packet only what zstd-jni does, some 400 bytes.
 */
public final class MultifdDecoder extends ChannelDecoder<MultifdMessage> implements AutoCloseable {
    /** Capacity in bytes that an input buffer needs at least. */
    public static final int MIN_BUFFER = 8 << 10;

    private static final MultifdMessage.Sync SYNC = new MultifdMessage.Sync();

    /** What comes next. */
    private enum State {
        INIT,
        PACKET,
        COMPRESSED,
        PAGES
    }

    private final MultifdSetup setup;
    private final @Nullable PageDecompressor decompressor;
    private final ByteBuffer compressed;
    private final ByteBuffer plain;
    private final MultifdPacket packet;
    private final MultifdPage view = new MultifdPage();
    private MultifdPacketCheck check;
    private State state = State.INIT;
    private long packetAt;
    private int nextPage;
    private @Nullable BlockTable blocks;

    /**
     * A new connection.
     *
     * @throws UnsupportedOperationException if the compression is not {@linkplain MultifdCompression#available available}
     */
    public MultifdDecoder(MultifdSetup setup) {
        super(WireException.MULTIFD);
        this.setup = setup;
        this.check = new MultifdPacketCheck(WireException.MULTIFD, setup.compression());
        this.decompressor = setup.compression().decompressor();
        boolean none = decompressor == null;
        this.compressed = ByteBuffer.allocateDirect(none ? 0 : MAX_COMPRESSED);
        // One byte more than pages can have, so that data which gives more is seen to do so.
        this.plain = ByteBuffer.allocateDirect(none ? 0 : MAX_PLAIN + 1);
        this.packet = new MultifdPacket(compressed);
    }

    /**
     * The block list of the main channel, which pages refer to. No page can come before it: the START of "ram" holds the list and then the first
     * sync point, so each channel's first packet is a SYNC ({@code spec/multifd.md §5}).
     */
    public void blocks(BlockTable table) {
        blocks = table;
    }

    /** After {@link #next} returned null: more bytes without which it will return null again. */
    public int needed() {
        return Math.max(1, reader.missing());
    }

    /** Whether the channel may end here, if no byte is left over: the source closes it between two packets, without a word (§6). */
    public boolean betweenPackets() {
        return state == State.PACKET;
    }

    /** Frees what the decompressor holds; {@link #next} must not be called any more. */
    @Override
    public void close() {
        if (decompressor != null) {
            decompressor.close();
        }
    }

    @Override
    Object state() {
        return state;
    }

    @Override
    @Nullable
    MultifdMessage step(ByteBuffer in) throws WireException {
        return switch (state) {
            case INIT -> init();
            case PACKET -> packet(in);
            case COMPRESSED -> compressed(in);
            case PAGES -> page(in);
        };
    }

    private MultifdMessage.@Nullable Init init() throws WireException {
        if (!reader.has(MultifdFormat.INIT_SIZE)) {
            return null;
        }
        int start = reader.at();
        magicAndVersion("multifd channel");
        UUID uuid = new UUID(reader.i64(), reader.i64());
        UUID ours = setup.uuid();
        if (ours != null && !uuid.equals(ours)) {
            throw reader.errorBefore(
                    16, "the channel of guest " + uuid + ", which is " + ours + " here: start both with the same UUID");
        }
        int id = reader.u8();
        if (id >= setup.channels()) {
            throw reader.errorBefore(
                    1,
                    "channel number " + id + ", but multifd-channels is " + setup.channels()
                            + " here: set the same at both ends");
        }
        reader.skip(start + MultifdFormat.INIT_ATTEMPT - reader.at());
        int attempt = reader.i32();
        reader.skip(start + MultifdFormat.INIT_SIZE - reader.at());
        reader.commit();
        reader.rename(WireException.multifd(id));
        check = new MultifdPacketCheck(WireException.multifd(id), setup.compression());
        state = State.PACKET;
        return new MultifdMessage.Init(uuid, id, attempt);
    }

    private void magicAndVersion(String what) throws WireException {
        int magic = reader.i32();
        if (magic != MultifdFormat.MAGIC) {
            throw reader.errorBefore(4, "no " + what + ": it begins with 0x" + Integer.toHexString(magic));
        }
        int version = reader.i32();
        if (version != MultifdFormat.VERSION) {
            throw reader.errorBefore(
                    4,
                    "a " + what + " of version " + Integer.toUnsignedString(version) + "; only " + MultifdFormat.VERSION
                            + " is spoken");
        }
    }

    private @Nullable MultifdMessage packet(ByteBuffer in) throws WireException {
        boolean whole = reader.has(PACKET_SIZE);
        if (reader.available() < MultifdFormat.PREAMBLE_SIZE) {
            return null;
        }
        packetAt = reader.offset();
        int start = reader.at();
        magicAndVersion("multifd packet");
        // Judged before the packet is whole: one of device state has another layout and is shorter.
        check.flags(reader.i32(), packetAt);
        if (!whole) {
            return null;
        }
        in.get(start, packet.header().array());
        reader.skip(start + PACKET_SIZE - reader.at());
        check.rest(packet, blocks, packetAt);
        nextPage = 0;
        reader.commit();
        if (decompressor != null && packet.normalPages() > 0) {
            compressed.clear().limit(packet.dataSize());
            state = State.COMPRESSED;
            return null;
        }
        state = State.PAGES;
        return packet;
    }

    private @Nullable MultifdMessage compressed(ByteBuffer in) throws WireException {
        int n = Math.min(compressed.remaining(), in.remaining());
        compressed.put(compressed.position(), in, in.position(), n).position(compressed.position() + n);
        in.position(in.position() + n);
        if (compressed.hasRemaining()) {
            reader.setMissing(compressed.remaining());
            return null;
        }
        decompress();
        state = State.PAGES;
        return packet;
    }

    private void decompress() throws WireException {
        String title = setup.compression().title();
        int all = packet.normalPages() * Pages.SIZE;
        plain.clear().limit(all + 1);
        compressed.flip();
        try {
            Objects.requireNonNull(decompressor).decompress(compressed, plain);
        } catch (DataFormatException e) {
            throw check.wrong(packetAt + PACKET_SIZE, "the packet's " + title + " data is damaged: " + e.getMessage());
        }
        if (compressed.hasRemaining() || plain.position() > all) {
            throw check.wrong(
                    packetAt + PACKET_SIZE,
                    "the packet's " + title + " data gives more than the " + all + " bytes of its pages");
        }
        if (plain.position() < all) {
            throw check.wrong(
                    packetAt + PACKET_SIZE,
                    "the packet's " + title + " data gives " + plain.position() + " bytes, its pages have " + all);
        }
    }

    /**
     * Right after {@link #next} gave a page with data: takes those that follow in the packet as long as each is just the next page of the block, with data that is there. The i-th of them
     * has its bytes {@code i * }{@link Pages#SIZE} behind those of that page.
     *
     * @return how many were taken
     */
    public int following(ByteBuffer in) {
        int most = packet.normalPages() - nextPage;
        if (decompressor == null) {
            most = Math.min(most, in.remaining() / Pages.SIZE);
        }
        int count = 0;
        while (count < most && packet.offset(nextPage + count) >>> Pages.SHIFT == view.page() + 1 + count) {
            count++;
        }
        nextPage += count;
        if (decompressor == null) {
            in.position(in.position() + count * Pages.SIZE);
            passed((long) count * Pages.SIZE);
        }
        return count;
    }

    private @Nullable MultifdMessage page(ByteBuffer in) {
        if (nextPage == packet.pages()) {
            state = State.PACKET;
            return packet.sync() ? SYNC : null;
        }
        long page = packet.offset(nextPage) >>> Pages.SHIFT;
        if (nextPage >= packet.normalPages()) {
            view.setZero(packet.block(), page);
        } else if (decompressor != null) {
            view.set(packet.block(), page, plain, nextPage * Pages.SIZE, true);
        } else {
            if (!reader.has(Pages.SIZE)) {
                return null;
            }
            view.set(packet.block(), page, in, reader.at(), false);
            reader.skip(Pages.SIZE);
            reader.commit();
        }
        nextPage++;
        return view;
    }
}
