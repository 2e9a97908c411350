// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static io.godwit.wire.MultifdFormat.MAX_PLAIN;
import static io.godwit.wire.MultifdFormat.PACKET_SIZE;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Writes one multifd channel; layout at {@link MultifdPacket}. A packet is {@link #begin}, then {@link #page} and {@link #zero} for pages of one
 * block in any order, then {@link #end}. What belongs on the main channel meanwhile is told by {@link MultifdDialect}. {@link #write} writes again
 * what a {@link MultifdDecoder} has read.
 *
 * <p>Buffers are big-endian. One thread, any at a time. Nothing is allocated per page, and per packet only what
 * zstd-jni does, some 400 bytes.
 */
public final class MultifdEncoder implements AutoCloseable {
    /** Most pages of one packet. */
    public static final int MAX_PAGES = MultifdFormat.MAX_PAGES;
    /** Most bytes of one packet, with pages that do not compress at all; {@link #begin} wants that much room. */
    public static final int MAX_PACKET = PACKET_SIZE + MAX_PLAIN + PageCompressor.OVERHEAD;
    /** Bytes that a channel begins with. */
    public static final int INIT_SIZE = MultifdFormat.INIT_SIZE;
    /** Bytes of a packet without pages. */
    public static final int SYNC_SIZE = PACKET_SIZE;

    private static final byte[] NOTHING = new byte[PACKET_SIZE];

    private final BlockTable blocks;
    private final MultifdCompression compression;
    private final boolean zeroPagesInPackets;
    private final @Nullable PageCompressor compressor;
    private final ByteBuffer plain;
    private final long[] normal = new long[MAX_PAGES];
    private final long[] zero = new long[MAX_PAGES];
    private int normals;
    /** Of these, how many have their bytes elsewhere. */
    private int elsewhere;

    private int zeroes;
    private @Nullable ByteBuffer out;
    private int start;
    private int block;

    /**
     * A new channel.
     *
     * @param level of the compression; {@link MultifdCompression#DEFAULT_LEVEL}
     * @param zeroPagesInPackets whether {@link #zero} is used: {@link MultifdDialect#zeroPagesInPackets}
     * @throws UnsupportedOperationException if the compression is not {@linkplain MultifdCompression#available available}
     * @throws IllegalArgumentException if it has no such level
     */
    public MultifdEncoder(BlockTable blocks, MultifdCompression compression, int level, boolean zeroPagesInPackets) {
        this.blocks = blocks;
        this.compression = compression;
        this.zeroPagesInPackets = zeroPagesInPackets;
        this.compressor = compression.compressor(level);
        this.plain = ByteBuffer.allocateDirect(compressor == null ? 0 : MAX_PLAIN);
    }

    /** Pages of the packet that was begun. */
    public int pages() {
        return normals + zeroes;
    }

    /**
     * Begins a packet with pages of {@code newBlock} at the position of {@code buffer}, which is the packet's until {@link #end}.
     *
     * @param buffer with {@link #MAX_PACKET} bytes of room; direct if there is compression
     */
    public void begin(ByteBuffer buffer, int newBlock) {
        if (out != null) {
            throw new IllegalStateException("the last packet was not ended");
        }
        if (buffer.remaining() < MAX_PACKET
                || buffer.order() != ByteOrder.BIG_ENDIAN
                || (compressor != null && !buffer.isDirect())) {
            throw new IllegalArgumentException("a packet needs " + MAX_PACKET
                    + " bytes of room in a big-endian buffer, a direct one if it is compressed");
        }
        blocks.get(newBlock);
        block = newBlock;
        normals = 0;
        elsewhere = 0;
        zeroes = 0;
        out = buffer;
        start = buffer.position();
        buffer.position(start + PACKET_SIZE);
        plain.clear();
    }

    /**
     * Adds a page with data.
     *
     * @return where the caller now appends the page's {@link Pages#SIZE} bytes: the packet's buffer itself, or with compression one of the encoder's
     */
    public ByteBuffer page(long page) {
        ByteBuffer data = data();
        add(page);
        normal[normals++] = page << Pages.SHIFT;
        return data;
    }

    /**
     * Adds neighbours with data.
     *
     * @param count at most as many as the packet has room for
     * @return where the caller now appends the bytes of all of them, see {@link #page}
     */
    public ByteBuffer pages(long first, int count) {
        ByteBuffer data = data();
        addAll(first, count);
        return data;
    }

    /**
     * Adds neighbours whose bytes the caller sends itself, behind those that the packet's buffer has so far and before those that are appended to it next. Not with a compression.
     *
     * @param count at most as many as the packet has room for
     */
    public void pagesElsewhere(long first, int count) {
        if (compressor != null) {
            throw new IllegalStateException("what is compressed has to be in the packet");
        }
        data();
        addAll(first, count);
        elsewhere += count;
    }

    private void addAll(long first, int count) {
        add(first);
        add(first + count - 1);
        if (pages() + count > MAX_PAGES) {
            throw new IllegalStateException("a packet has at most " + MAX_PAGES + " pages");
        }
        for (int i = 0; i < count; i++) {
            normal[normals++] = (first + i) << Pages.SHIFT;
        }
    }

    /** Adds an all-zero page. Only with zero pages in packets: otherwise it is a ZERO record on the main channel. */
    public void zero(long page) {
        if (!zeroPagesInPackets) {
            throw new IllegalStateException("zero pages go to the main channel, not into packets");
        }
        data();
        add(page);
        zero[zeroes++] = page << Pages.SHIFT;
    }

    /**
     * Completes the packet.
     *
     * @param number counter over all channels of the migration, from 0
     */
    public void end(long number) {
        ByteBuffer buffer = current();
        data();
        if (pages() == 0) {
            throw new IllegalStateException("a packet without pages");
        }
        if (compressor != null && normals > 0) {
            compressor.compress(plain.flip(), buffer);
        }
        int end = buffer.position();
        buffer.position(start);
        header(buffer, compression.flag(), number);
        buffer.putInt(start + MultifdFormat.PAGES_ALLOC, MAX_PAGES);
        buffer.putInt(start + MultifdFormat.NORMAL_PAGES, normals);
        buffer.putInt(start + MultifdFormat.NEXT_PACKET_SIZE, end - start - PACKET_SIZE + elsewhere * Pages.SIZE);
        buffer.putInt(start + MultifdFormat.ZERO_PAGES, zeroes);
        buffer.put(start + MultifdFormat.BLOCK_NAME, blocks.nameBytes(block));
        int at = start + MultifdFormat.OFFSETS;
        for (int i = 0; i < pages(); i++, at += Long.BYTES) {
            buffer.putLong(at, i < normals ? normal[i] : zero[i - normals]);
        }
        buffer.position(end);
        out = null;
    }

    /** Frees what the compressor holds. */
    @Override
    public void close() {
        if (compressor != null) {
            compressor.close();
        }
    }

    /** Appends the {@link #INIT_SIZE} bytes that a channel begins with. */
    public static void init(MultifdMessage.Init init, ByteBuffer out) {
        out.putInt(MultifdFormat.MAGIC).putInt(MultifdFormat.VERSION);
        out.putLong(init.uuid().getMostSignificantBits())
                .putLong(init.uuid().getLeastSignificantBits())
                .put((byte) init.id());
        out.put(NOTHING, 0, MultifdFormat.INIT_ATTEMPT - MultifdFormat.INIT_ID - 1);
        out.putInt(init.attempt());
        out.put(NOTHING, 0, MultifdFormat.INIT_SIZE - MultifdFormat.INIT_ATTEMPT - Integer.BYTES);
    }

    /** Appends a SYNC packet, {@link #SYNC_SIZE} bytes; one on each channel is a sync point. Takes a number like the others. */
    public static void sync(ByteBuffer out, long number) {
        header(out, MultifdFormat.FLAG_SYNC, number);
    }

    /** Bytes that {@link #write} will write. */
    public static int size(MultifdMessage message) {
        return switch (message) {
            case MultifdMessage.Init _ -> MultifdFormat.INIT_SIZE;
            case MultifdMessage.Sync _ -> 0;
            case MultifdPacket packet -> packet.size();
            case MultifdPage page -> page.size();
        };
    }

    /**
     * Appends a message as it was read, {@link #size} bytes. The data of a packet is its own if it is compressed, else that of its pages; a SYNC is a
     * flag of its packet and has no bytes of its own.
     */
    public static void write(MultifdMessage message, ByteBuffer out) {
        switch (message) {
            case MultifdMessage.Init init -> init(init, out);
            case MultifdMessage.Sync _ -> {}
            case MultifdPacket packet -> packet.write(out);
            case MultifdPage page -> page.write(out);
        }
    }

    private static void header(ByteBuffer out, int flags, long number) {
        int at = out.position();
        out.put(NOTHING);
        out.putInt(at, MultifdFormat.MAGIC)
                .putInt(at + 4, MultifdFormat.VERSION)
                .putInt(at + MultifdFormat.FLAGS, flags)
                .putLong(at + MultifdFormat.PACKET_NUMBER, number);
    }

    private void add(long page) {
        if (page < 0 || page >= blocks.get(block).pages()) {
            throw new IndexOutOfBoundsException("page " + page + " of " + blocks.get(block));
        }
        if (pages() == MAX_PAGES) {
            throw new IllegalStateException("a packet has at most " + MAX_PAGES + " pages");
        }
    }

    private ByteBuffer current() {
        if (out == null) {
            throw new IllegalStateException("no packet was begun");
        }
        return out;
    }

    /** Where the pages' data goes; holds that of all pages so far. */
    private ByteBuffer data() {
        ByteBuffer data = compressor == null ? current() : plain;
        int have = data.position() - (compressor == null ? start + PACKET_SIZE : 0);
        if (have != (normals - elsewhere) * Pages.SIZE) {
            throw new IllegalStateException(have + " bytes were appended for " + (normals - elsewhere) + " pages");
        }
        return data;
    }
}
