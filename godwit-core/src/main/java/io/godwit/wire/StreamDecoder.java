// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockTable;
import io.godwit.wire.StreamMessage.DeviceState;
import io.godwit.wire.StreamMessage.EndOfRecords;
import io.godwit.wire.StreamMessage.Header;
import io.godwit.wire.StreamMessage.MemSize;
import io.godwit.wire.StreamMessage.MultifdFlush;
import io.godwit.wire.StreamMessage.Packaged;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the main channel, {@code spec/stream.md}, message by message and from any split of its bytes.
 *
 * <p>{@link #next} takes one message from the buffer, or returns null: then the bytes that it left in the buffer must be offered again with more
 * behind them. What is longer than a page record is collected inside, so a big-endian buffer of {@link #MIN_BUFFER} bytes is enough. The order of
 * sections and records is checked; whether a message is due in the migration's present state is for the caller to judge.
 *
 * <p>One thread. After a {@link WireException} each further call throws the same one. Pages allocate nothing.
 */
public final class StreamDecoder extends ChannelDecoder<StreamMessage> {
    /** Capacity in bytes that an input buffer needs at least. */
    public static final int MIN_BUFFER = 16 << 10;

    private static final EndOfRecords END_OF_RECORDS = new EndOfRecords();
    private static final MultifdFlush MULTIFD_FLUSH = new MultifdFlush();

    /** What comes next. */
    private enum State {
        HEADER,
        CONFIGURATION,
        SECTION,
        BLOCK_LIST,
        START_RECORDS,
        RECORDS,
        FOOTER,
        DISCARD,
        PACKAGED,
        EARLY_DEVICE,
        TAIL
    }

    private final StreamLimits limits;
    private final DecoderOptions options;
    private final RamSection ram;
    private State state;

    private boolean postcopy;
    private @Nullable BlockTable blocks;
    private @Nullable RecordReader records;

    private @Nullable BlockListReader blockList;
    private @Nullable Collector collector;
    private @Nullable EarlyDeviceReader earlyDevice;
    private int earlyDevices;
    /** Of all device sections that have come before the END of ram. */
    private int earlyBytes;

    private @Nullable TailReader tail;

    /** A first connection, from the header on. */
    public StreamDecoder(StreamLimits limits, DecoderOptions options) {
        super(WireException.MAIN);
        this.ram = new RamSection(reader);
        this.limits = limits;
        this.options = options;
        this.state = State.HEADER;
    }

    /** A recovery connection: sections at once, with what the first connection taught; no block was named yet. */
    public static StreamDecoder recovery(StreamLimits limits, DecoderOptions options, StreamContext context) {
        StreamDecoder decoder = new StreamDecoder(limits, options);
        decoder.state = State.SECTION;
        decoder.postcopy = true;
        decoder.ram.resume(context.ramSectionId());
        decoder.setBlocks(context.blocks());
        return decoder;
    }

    /** After {@link #next} returned null: more bytes without which it will return null again; 0 once {@link #ended}. */
    public int needed() {
        return ended() ? 0 : Math.max(1, reader.missing());
    }

    /** Whether the stream is complete, to the vmdesc where one has come. */
    public boolean ended() {
        return tail != null && tail.ended();
    }

    /**
     * After {@link #next} returned null: whether the stream is complete if nothing follows, which its bytes cannot tell: it has device sections and the EOF byte, and no vmdesc that lists
     * them ({@code suppress-vmdesc=on}).
     *
     * @param bare whether that may be so without any vmdesc, too, or only with one that lists nothing
     */
    public boolean mayEnd(boolean bare) {
        return tail != null && tail.mayEnd(bare);
    }

    /** Nothing follows what was taken so far: if it {@link #mayEnd} and device sections reach to there, {@link #next} gives the rest of the messages. */
    public void nothingFollows() {
        if (tail != null) {
            tail.nothingFollows();
        }
    }

    /** What a recovery will need, once the block list was decoded. */
    public @Nullable StreamContext context() {
        return blocks == null ? null : new StreamContext(blocks, ram.id());
    }

    /**
     * Bytes that come next and mean nothing to the stream, because they are the pages of a mapped-ram file; whatever is given of them is passed over. They
     * are there after {@link #next} returned null and has taken all it was given.
     */
    public long gap() {
        return blockList == null ? 0 : blockList.gap();
    }

    /** The next bytes that will be given are those behind the {@link #gap}. */
    public void jumpGap() {
        if (blockList != null) {
            passed(blockList.jumpGap());
        }
    }

    @Override
    Object state() {
        return state;
    }

    @Override
    @Nullable
    StreamMessage step(ByteBuffer in) throws WireException {
        return switch (state) {
            case HEADER -> header();
            case CONFIGURATION -> configuration();
            case SECTION -> section();
            case BLOCK_LIST -> blockList();
            case START_RECORDS, RECORDS -> record(in);
            case FOOTER -> done(State.SECTION, ram.footer());
            case DISCARD -> discard(in);
            case PACKAGED -> packaged(in);
            case EARLY_DEVICE -> earlyDevice(in);
            case TAIL -> tail(in);
        };
    }

    private @Nullable StreamMessage header() throws WireException {
        if (!reader.has(8)) {
            return null;
        }
        int magic = reader.i32();
        if (magic != WireFormat.MAGIC) {
            throw reader.errorBefore(4, "no migration stream: it begins with 0x" + Integer.toHexString(magic));
        }
        int version = reader.i32();
        if (version != WireFormat.VERSION) {
            throw reader.errorBefore(
                    4,
                    "stream version " + Integer.toUnsignedString(version) + "; only " + WireFormat.VERSION
                            + " is spoken");
        }
        return done(State.CONFIGURATION, new Header());
    }

    private @Nullable StreamMessage configuration() throws WireException {
        if (!reader.has(1)) {
            return null;
        }
        if (reader.peek(0) != WireFormat.CONFIGURATION) {
            state = State.SECTION;
            return null;
        }
        return done(State.SECTION, new ConfigurationReader(reader, options).read());
    }

    private @Nullable StreamMessage section() throws WireException {
        if (!reader.has(1)) {
            return null;
        }
        int type = reader.peek(0);
        return switch (type) {
            case WireFormat.EOF -> endOfStream();
            case WireFormat.START -> done(State.BLOCK_LIST, ram.start());
            case WireFormat.PART, WireFormat.END -> ram.partOrEnd() ? done(State.RECORDS, ram.opened()) : null;
            case WireFormat.FULL -> full();
            case WireFormat.COMMAND -> command();
            default ->
                throw reader.error("0x" + Integer.toHexString(type) + " where a section or command should begin");
        };
    }

    private @Nullable StreamMessage endOfStream() throws WireException {
        if (!ram.ended()) {
            throw reader.error("the stream ends before the END of ram");
        }
        return beginTail();
    }

    private @Nullable StreamMessage full() throws WireException {
        if (postcopy) {
            throw reader.error("a device section outside of the PACKAGED blob");
        }
        if (ram.ended()) {
            return beginTail();
        }
        if (earlyDevices == DeviceSections.MAX_SECTIONS) {
            throw reader.error("more than " + DeviceSections.MAX_SECTIONS + " device sections before the END of ram");
        }
        earlyDevice = new EarlyDeviceReader(limits.maxDeviceBytes(), earlyBytes, ram.started(), ram.id());
        state = State.EARLY_DEVICE;
        return null;
    }

    private @Nullable StreamMessage beginTail() {
        tail = new TailReader(reader, limits, !postcopy, earlyDevices);
        state = State.TAIL;
        return null;
    }

    private @Nullable StreamMessage blockList() throws WireException {
        if (blockList == null) {
            if (!reader.has(8)) {
                return null;
            }
            blockList = new BlockListReader(reader, limits, options);
        }
        MemSize list = blockList.read();
        if (list == null) {
            return null;
        }
        blockList = null;
        setBlocks(new BlockTable(list.infos()));
        return done(State.START_RECORDS, list);
    }

    private void setBlocks(BlockTable table) {
        blocks = table;
        records = new RecordReader(table, WireException.MAIN);
        records.take(options.xbzrle(), options.compress());
        if (postcopy) {
            records.beginPostcopy();
        }
    }

    private @Nullable StreamMessage record(ByteBuffer in) throws WireException {
        if (!reader.has(8)) {
            return null;
        }
        long word = reader.i64();
        if (word == WireFormat.FLAG_EOS) {
            return done(State.FOOTER, END_OF_RECORDS);
        }
        if (word == WireFormat.FLAG_MULTIFD_FLUSH && options.multifd()) {
            if (postcopy) {
                throw reader.errorBefore(8, "a MULTIFD_FLUSH in postcopy, where multifd is not used any more");
            }
            return done(state, MULTIFD_FLUSH);
        }
        reader.skip(-8);
        if (state == State.START_RECORDS && word != WireFormat.FLAG_MULTIFD_FLUSH) {
            throw reader.error(
                    "word 0x" + Long.toHexString(word) + " after the block list, where only its end may stand");
        }
        if (options.mappedRam().isPresent()) {
            throw reader.error("word 0x" + Long.toHexString(word)
                    + " in a mapped-ram file, where a section of ram holds only its end");
        }
        return Objects.requireNonNull(records).read(reader, in);
    }

    /**
     * Right after {@link #next} gave a page with data: takes the records behind it in the buffer as long as each is just the next page of the block, with data. The i-th of them has its
     * bytes {@code i * }{@link PageRecord#STRIDE} behind those of that page. Most pages come so, and this is a much shorter way than a call of {@code next} for each.
     *
     * @return how many were taken
     */
    public int following(ByteBuffer in) {
        int count = Objects.requireNonNull(records).following(in);
        passed((long) count * PageRecord.STRIDE);
        return count;
    }

    private @Nullable StreamMessage command() throws WireException {
        int code = CommandReader.readHeader(reader);
        if (code < 0) {
            return null;
        }
        reader.skip(-2);
        int length = reader.u16();
        if (code == WireFormat.POSTCOPY_RAM_DISCARD) {
            return collect(State.DISCARD, length);
        }
        if (code == WireFormat.PACKAGED) {
            return packagedLength();
        }
        return done(State.SECTION, CommandReader.read(reader, code, length, blocks));
    }

    private @Nullable StreamMessage packagedLength() throws WireException {
        if (postcopy) {
            throw reader.errorBefore(
                    WireFormat.COMMAND_HEADER,
                    "PACKAGED in postcopy: the device state comes once, at the switch, and never on a recovery");
        }
        if (!reader.has(4)) {
            return null;
        }
        long length = reader.u32();
        if (length > limits.maxPackagedBytes()) {
            throw reader.errorBefore(
                    4, "a PACKAGED blob of " + length + " bytes; at most " + limits.maxPackagedBytes() + " are taken");
        }
        return collect(State.PACKAGED, (int) length);
    }

    private @Nullable StreamMessage collect(State next, int length) {
        collector = new Collector(length);
        reader.commit();
        state = next;
        return null;
    }

    private @Nullable StreamMessage discard(ByteBuffer in) throws WireException {
        int before = in.position();
        byte[] payload = Objects.requireNonNull(collector).fill(in, reader);
        if (payload == null) {
            return null;
        }
        collector = null;
        state = State.SECTION;
        Reader inside = new Reader(WireException.MAIN);
        inside.begin(ByteBuffer.wrap(payload), reader.offset() + (in.position() - before) - payload.length);
        return CommandReader.discard(inside, payload.length, blocks);
    }

    private @Nullable StreamMessage packaged(ByteBuffer in) {
        byte[] blob = Objects.requireNonNull(collector).fill(in, reader);
        if (blob == null) {
            return null;
        }
        collector = null;
        postcopy = true;
        if (records != null) {
            records.beginPostcopy();
        }
        state = State.SECTION;
        return new Packaged(blob);
    }

    private @Nullable StreamMessage earlyDevice(ByteBuffer in) throws WireException {
        EarlyDeviceReader device = Objects.requireNonNull(earlyDevice);
        if (!device.read(reader, in)) {
            return null;
        }
        earlyDevice = null;
        earlyDevices++;
        byte[] verbatim = device.verbatim();
        earlyBytes += verbatim.length;
        state = State.SECTION;
        return new DeviceState(verbatim);
    }

    private @Nullable StreamMessage tail(ByteBuffer in) throws WireException {
        TailReader end = Objects.requireNonNull(tail);
        if (!end.ended()) {
            return end.next(in);
        }
        if (in.hasRemaining()) {
            throw reader.error(in.remaining() + " bytes after the end of the stream");
        }
        return null;
    }

    /** Commits the message, if there is one, and goes on. */
    private @Nullable StreamMessage done(State next, @Nullable StreamMessage message) {
        if (message != null) {
            reader.commit();
            state = next;
        }
        return message;
    }
}
