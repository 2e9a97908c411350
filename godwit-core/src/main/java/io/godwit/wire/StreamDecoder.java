// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockTable;
import io.godwit.wire.StreamMessage.DeviceState;
import io.godwit.wire.StreamMessage.EndOfRecords;
import io.godwit.wire.StreamMessage.EndOfStream;
import io.godwit.wire.StreamMessage.Footer;
import io.godwit.wire.StreamMessage.Header;
import io.godwit.wire.StreamMessage.MemSize;
import io.godwit.wire.StreamMessage.MultifdFlush;
import io.godwit.wire.StreamMessage.Packaged;
import io.godwit.wire.StreamMessage.SectionEnd;
import io.godwit.wire.StreamMessage.SectionPart;
import io.godwit.wire.StreamMessage.SectionStart;
import io.godwit.wire.StreamMessage.VmDescription;
import io.godwit.wire.UnsupportedOnWireException.Feature;
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
public final class StreamDecoder {
    /** Capacity in bytes that an input buffer needs at least. */
    public static final int MIN_BUFFER = 16 << 10;

    private static final EndOfRecords END_OF_RECORDS = new EndOfRecords();

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
        DEVICE_CHAIN,
        DEVICE_RUN,
        RUN_END,
        AFTER_EOF,
        VM_DESCRIPTION,
        END
    }

    private final StreamLimits limits;
    private final DecoderOptions options;
    private final Reader reader = new Reader(WireException.MAIN);
    private State state;
    private long offset;
    private @Nullable WireException failure;

    private boolean ramStarted;
    private boolean ramEnded;
    private boolean postcopy;
    private int ramId;
    private boolean closingSection;
    private @Nullable BlockTable blocks;
    private @Nullable RecordReader records;

    private @Nullable BlockListReader blockList;
    private @Nullable Collector collector;
    private int collecting;
    private @Nullable DeviceChainReader chain;
    private @Nullable DeviceRunReader run;
    private @Nullable VmDescription description;

    /** A first connection, from the header on. */
    public StreamDecoder(StreamLimits limits, DecoderOptions options) {
        this.limits = limits;
        this.options = options;
        this.state = State.HEADER;
    }

    /** A recovery connection: sections at once, with what the first connection taught; no block was named yet. */
    public static StreamDecoder recovery(StreamLimits limits, DecoderOptions options, StreamContext context) {
        StreamDecoder decoder = new StreamDecoder(limits, options);
        decoder.state = State.SECTION;
        decoder.ramStarted = true;
        decoder.postcopy = true;
        decoder.ramId = context.ramSectionId();
        decoder.setBlocks(context.blocks());
        return decoder;
    }

    /** Bytes consumed so far. */
    public long offset() {
        return offset;
    }

    /** After {@link #next} returned null: more bytes without which it will return null again; 0 once {@link #ended}. */
    public int needed() {
        return ended() ? 0 : Math.max(1, reader.missing());
    }

    /** Whether the stream is complete, to the vmdesc where one is due. */
    public boolean ended() {
        return state == State.END;
    }

    /** What a recovery will need, once the block list was decoded. */
    public @Nullable StreamContext context() {
        return blocks == null ? null : new StreamContext(blocks, ramId);
    }

    /**
     * The next message, or null if more bytes are needed.
     *
     * @param in big-endian; consumed from its position on. A returned {@link PageRecord} refers to it.
     * @throws WireException if the bytes are not what may stand here
     */
    public @Nullable StreamMessage next(ByteBuffer in) throws WireException {
        if (failure != null) {
            throw failure;
        }
        int start = in.position();
        try {
            State before;
            StreamMessage message;
            do {
                before = state;
                reader.begin(in, offset + (in.position() - start));
                message = step(in);
            } while (message == null && state != before);
            offset += in.position() - start;
            return message;
        } catch (WireException e) {
            failure = e;
            throw e;
        }
    }

    private @Nullable StreamMessage step(ByteBuffer in) throws WireException {
        return switch (state) {
            case HEADER -> header();
            case CONFIGURATION -> configuration();
            case SECTION -> section();
            case BLOCK_LIST -> blockList();
            case START_RECORDS, RECORDS -> record(in);
            case FOOTER -> footer();
            case DISCARD -> discard(in);
            case PACKAGED -> packaged(in);
            case EARLY_DEVICE, DEVICE_CHAIN -> deviceChain(in);
            case DEVICE_RUN -> deviceRun(in);
            case RUN_END -> {
                state = State.VM_DESCRIPTION;
                yield new EndOfStream();
            }
            case AFTER_EOF -> afterEof();
            case VM_DESCRIPTION -> vmDescription(in);
            case END -> end(in);
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
        StreamMessage configuration = new ConfigurationReader(reader, options.ignoreShared()).read();
        return configuration == null ? null : done(State.SECTION, configuration);
    }

    private @Nullable StreamMessage section() throws WireException {
        if (!reader.has(1)) {
            return null;
        }
        int type = reader.peek(0);
        return switch (type) {
            case WireFormat.EOF -> endOfStream();
            case WireFormat.START -> start();
            case WireFormat.PART, WireFormat.END -> partOrEnd(type);
            case WireFormat.FULL -> full();
            case WireFormat.COMMAND -> command();
            default ->
                throw reader.error("0x" + Integer.toHexString(type) + " where a section or command should begin");
        };
    }

    private StreamMessage endOfStream() throws WireException {
        if (!ramEnded) {
            throw reader.error("the stream ends before the END of ram");
        }
        reader.skip(1);
        return done(vmDescriptionDue() ? State.AFTER_EOF : State.END, new EndOfStream());
    }

    private boolean vmDescriptionDue() {
        return options.vmDescription() && !postcopy;
    }

    private @Nullable StreamMessage start() throws WireException {
        if (!reader.has(6) || !reader.has(6 + reader.peek(5) + 8)) {
            return null;
        }
        reader.skip(1);
        int id = reader.i32();
        int nameAt = reader.at();
        String idstr = reader.str8("a section's name");
        if (!idstr.equals(WireFormat.RAM)) {
            reader.skip(nameAt - reader.at());
            throw reader.unsupported(Feature.ITERABLE, "the START of section '" + idstr + "'");
        }
        if (ramStarted) {
            throw reader.errorBefore(reader.at() - nameAt, "a second START of ram");
        }
        int instance = reader.i32();
        int version = reader.i32();
        if (version != WireFormat.RAM_VERSION) {
            throw reader.errorBefore(
                    4,
                    "ram of version " + Integer.toUnsignedString(version) + "; only " + WireFormat.RAM_VERSION
                            + " is spoken");
        }
        ramStarted = true;
        ramId = id;
        return done(State.BLOCK_LIST, new SectionStart(id, idstr, instance, version));
    }

    private @Nullable StreamMessage partOrEnd(int type) throws WireException {
        if (!reader.has(5)) {
            return null;
        }
        reader.skip(1);
        int id = reader.i32();
        String name = type == WireFormat.PART ? "PART" : "END";
        if (!ramStarted || id != ramId) {
            throw reader.errorBefore(4, name + " of section " + Integer.toUnsignedString(id) + ", which has no START");
        }
        if (ramEnded) {
            throw reader.errorBefore(5, name + " of ram after its END");
        }
        closingSection = type == WireFormat.END;
        return done(State.RECORDS, closingSection ? new SectionEnd(id) : new SectionPart(id));
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
        records = new RecordReader(table);
    }

    private @Nullable StreamMessage record(ByteBuffer in) throws WireException {
        if (!reader.has(8)) {
            return null;
        }
        long word = reader.i64();
        if (word == WireFormat.FLAG_EOS) {
            return done(State.FOOTER, END_OF_RECORDS);
        }
        if (word == WireFormat.FLAG_MULTIFD_FLUSH && options.multifd() && !postcopy) {
            return done(state, new MultifdFlush());
        }
        reader.skip(-8);
        if (state == State.START_RECORDS && word != WireFormat.FLAG_MULTIFD_FLUSH) {
            throw reader.error(
                    "word 0x" + Long.toHexString(word) + " after the block list, where only its end may stand");
        }
        return Objects.requireNonNull(records).read(reader, in);
    }

    private @Nullable StreamMessage footer() throws WireException {
        if (!reader.has(WireFormat.FOOTER_SIZE)) {
            return null;
        }
        if (reader.peek(0) != WireFormat.FOOTER) {
            throw reader.error("0x" + Integer.toHexString(reader.peek(0)) + " where the footer of ram should begin");
        }
        reader.skip(1);
        int id = reader.i32();
        if (id != ramId) {
            throw reader.errorBefore(
                    4,
                    "the footer of section " + Integer.toUnsignedString(id) + " after a body of section "
                            + Integer.toUnsignedString(ramId));
        }
        ramEnded = closingSection;
        return done(State.SECTION, new Footer(id));
    }

    private @Nullable StreamMessage command() throws WireException {
        int code = CommandReader.readHeader(reader);
        if (code < 0) {
            return null;
        }
        reader.skip(-2);
        int length = reader.u16();
        if (code == WireFormat.POSTCOPY_RAM_DISCARD) {
            collect(State.DISCARD, length);
            return null;
        }
        if (code == WireFormat.PACKAGED) {
            return packagedLength();
        }
        StreamMessage command = CommandReader.read(reader, code, length, blocks);
        return command == null ? null : done(State.SECTION, command);
    }

    private @Nullable StreamMessage packagedLength() throws WireException {
        if (!reader.has(4)) {
            return null;
        }
        long length = reader.u32();
        if (length > limits.maxPackagedBytes()) {
            throw reader.errorBefore(
                    4, "a PACKAGED blob of " + length + " bytes; at most " + limits.maxPackagedBytes() + " are taken");
        }
        collect(State.PACKAGED, (int) length);
        return null;
    }

    private void collect(State next, int length) {
        collector = new Collector(length);
        collecting = length;
        reader.commit();
        state = next;
    }

    /** The collected bytes once they are complete, else null. */
    private byte @Nullable [] collected(ByteBuffer in) {
        Collector into = Objects.requireNonNull(collector);
        into.take(in, into.room());
        if (into.room() > 0) {
            reader.setMissing(into.room());
            return null;
        }
        collector = null;
        return into.range(0, collecting);
    }

    private @Nullable StreamMessage discard(ByteBuffer in) throws WireException {
        byte[] payload = collected(in);
        if (payload == null) {
            return null;
        }
        Reader inside = new Reader(WireException.MAIN);
        reader.begin(in, reader.offset() + (in.position() - reader.at()));
        inside.begin(ByteBuffer.wrap(payload), reader.offset() - payload.length);
        state = State.SECTION;
        return CommandReader.discard(inside, payload.length, blocks);
    }

    private @Nullable StreamMessage packaged(ByteBuffer in) {
        byte[] blob = collected(in);
        if (blob == null) {
            return null;
        }
        postcopy = true;
        state = State.SECTION;
        return new Packaged(blob);
    }

    private @Nullable StreamMessage full() throws WireException {
        if (postcopy) {
            throw reader.error("a device section outside of the PACKAGED blob");
        }
        if (ramEnded && vmDescriptionDue()) {
            run = new DeviceRunReader(limits);
            state = State.DEVICE_RUN;
        } else {
            chain = new DeviceChainReader(limits.maxDeviceBytes(), ramStarted, ramId, ramEnded);
            state = ramEnded ? State.DEVICE_CHAIN : State.EARLY_DEVICE;
        }
        return null;
    }

    private @Nullable StreamMessage deviceChain(ByteBuffer in) throws WireException {
        DeviceChainReader sections = Objects.requireNonNull(chain);
        if (!sections.read(reader, in)) {
            return null;
        }
        chain = null;
        state = State.SECTION;
        return new DeviceState(sections.verbatim());
    }

    private @Nullable StreamMessage deviceRun(ByteBuffer in) throws WireException {
        DeviceRunReader devices = Objects.requireNonNull(run);
        if (!devices.read(reader, in)) {
            return null;
        }
        run = null;
        description = new VmDescription(devices.vmDescription());
        state = State.RUN_END;
        return new DeviceState(devices.verbatim());
    }

    private @Nullable StreamMessage afterEof() throws WireException {
        if (!reader.has(5)) {
            return null;
        }
        int type = reader.u8();
        if (type != WireFormat.VM_DESCRIPTION) {
            throw reader.errorBefore(
                    1, "0x" + Integer.toHexString(type) + " after the end of the migration, where a vmdesc is due");
        }
        long length = reader.u32();
        if (length > limits.maxVmDescriptionBytes()) {
            throw reader.errorBefore(
                    4, "a vmdesc of " + length + " bytes; at most " + limits.maxVmDescriptionBytes() + " are taken");
        }
        collect(State.VM_DESCRIPTION, (int) length);
        return null;
    }

    private @Nullable StreamMessage vmDescription(ByteBuffer in) {
        VmDescription ready = description;
        if (ready == null) {
            byte[] json = collected(in);
            if (json == null) {
                return null;
            }
            ready = new VmDescription(json);
        }
        description = null;
        state = State.END;
        return ready;
    }

    private @Nullable StreamMessage end(ByteBuffer in) throws WireException {
        if (in.hasRemaining()) {
            throw reader.error(in.remaining() + " bytes after the end of the stream");
        }
        return null;
    }

    private StreamMessage done(State next, StreamMessage message) {
        reader.commit();
        state = next;
        return message;
    }
}
