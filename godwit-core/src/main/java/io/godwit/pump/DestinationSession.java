// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationEffect;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationMachine;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.wire.DecoderOptions;
import io.godwit.wire.PackagedBlob;
import io.godwit.wire.PageRecord;
import io.godwit.wire.PreemptDecoder;
import io.godwit.wire.ReturnPathDecoder;
import io.godwit.wire.ReturnPathEncoder;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamContext;
import io.godwit.wire.StreamDecoder;
import io.godwit.wire.StreamLimits;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One incoming migration without I/O: the machine, the page path, the codecs, and the judgement of unknown connections. The counterpart of {@link SourceSession}.
 *
 * <p>Used by the migration's loop only. After any call, {@link #produce} fills the return path's outbox.
 */
public final class DestinationSession {
    /** More than all bitmaps and this much of answers waiting to be read: a peer that asks and never reads. */
    private static final long ANSWER_BACKLOG = 1 << 20;

    private final DestinationMachine machine;
    private final MigrationOptions options;
    private final String machineName;
    private final DestinationHost host;
    private final PageSink memory;
    private final BlockTable blocks;
    private final MissingPages missingPages;
    private final Candidates candidates;
    private final DestinationStats stats = new DestinationStats();
    private final ArrayDeque<DestinationEffect> effects = new ArrayDeque<>();
    private final ArrayDeque<DestinationInput> inputs = new ArrayDeque<>();
    private final ReturnPathEncoder answers;
    private final MissingPages.Visitor request = this::request;
    private Outbox returnPath = new Outbox();
    private int main = -1;
    private int preempt = -1;
    private @Nullable StreamDecoder decoder;
    private @Nullable PreemptDecoder preemptDecoder;
    private int[] peerBlocks = new int[0];
    private @Nullable StreamContext sections;
    private byte[] devices = new byte[0];
    private long missing;
    private int lastRequestedBlock = -1;

    public DestinationSession(
            MigrationOptions options,
            Parameters parameters,
            String machineName,
            PageSink memory,
            MissingPages missingPages,
            DestinationHost host) {
        this.machine = new DestinationMachine(options, parameters);
        this.options = options;
        this.machineName = machineName;
        this.memory = memory;
        this.blocks = memory.blocks();
        this.missingPages = missingPages;
        this.answers = new ReturnPathEncoder(blocks);
        this.host = host;
        this.candidates = new Candidates(options, parameters, blocks, host, stats);
    }

    public DestinationMachine machine() {
        return machine;
    }

    public DestinationStats stats() {
        return stats;
    }

    /** Pages not received yet; counted from the switch to postcopy on. */
    public long missing() {
        return missing;
    }

    public @Nullable Outbox outbox(int connection) {
        return connection >= 0 && connection == main ? returnPath : null;
    }

    public void parameters(Parameters parameters) {
        machine.parameters(parameters);
        candidates.parameters(parameters);
    }

    /**
     * An operator's word.
     *
     * @return the sentence by which it is refused, or null
     */
    public @Nullable String operator(DestinationInput input, long now) {
        String refusal = machine.refuse(input);
        if (refusal == null) {
            step(input, now);
        }
        return refusal;
    }

    /** Somebody connected; who it is will show. */
    public void accepted(int connection, String peer, long now) {
        candidates.add(connection, peer, now);
    }

    public void broken(int connection, String reason, long now) {
        if (connection == main) {
            step(new DestinationInput.Broken(Channel.MAIN, reason), now);
        } else if (connection == preempt) {
            step(new DestinationInput.Broken(Channel.PREEMPT, reason), now);
        } else {
            candidates.gone(connection);
        }
    }

    public long nextTick() {
        return Math.min(machine.nextTick(missingPages.outstanding()), candidates.nextTick(main >= 0));
    }

    public void tick(long now) {
        step(new DestinationInput.Tick(missingPages.outstanding()), now);
        candidates.tick(main >= 0, now);
    }

    /** An operator breaks the channels as if the network had. False if there are none. */
    public boolean yank(long now) {
        if (main < 0) {
            return false;
        }
        step(new DestinationInput.Broken(Channel.MAIN, "broken by the operator (yank)"), now);
        return true;
    }

    /** Bytes came. What remains in the buffer afterwards is to be offered again with more bytes, or after {@link DestinationHost#again}. */
    public void received(int connection, ByteBuffer in, long now) {
        if (connection != main && connection != preempt) {
            judge(connection, in, now);
        }
        if (connection == main) {
            machine.progressed(now);
            mainBytes(connection, in, now);
        } else if (connection == preempt) {
            machine.progressed(now);
            preemptBytes(connection, in, now);
        }
    }

    private void judge(int connection, ByteBuffer in, long now) {
        switch (candidates.judge(connection, in, machine, preempt >= 0)) {
            case WAIT -> {}
            case DROPPED -> in.position(in.limit());
            case MAIN -> {
                stats.startedAt = now;
                decoder = new StreamDecoder(StreamLimits.DEFAULT, decoding());
                sections = null;
                devices = new byte[0];
                returnPath = new Outbox();
                step(new DestinationInput.MainOpened(), now);
                main = connection;
            }
            case RECOVERY -> {
                step(new DestinationInput.RecoveryOpened(), now);
                StreamContext known = sections;
                if (known == null) {
                    throw new IllegalStateException("recovery without a first connection");
                }
                stats.recoveries++;
                decoder = StreamDecoder.recovery(StreamLimits.DEFAULT, decoding(), known);
                returnPath = new Outbox();
                lastRequestedBlock = -1;
                main = connection;
            }
            case PREEMPT -> {
                StreamContext known = sections;
                if (known == null) {
                    throw new IllegalStateException("preempt channel before the block list");
                }
                preemptDecoder = new PreemptDecoder(known.blocks());
                preempt = connection;
            }
        }
    }

    private void mainBytes(int connection, ByteBuffer in, long now) {
        try {
            while (connection == main && decoder != null) {
                StreamMessage message = decoder.next(in);
                if (message == null) {
                    stats.received(decoder.offset());
                    return;
                }
                message(message, in, now);
            }
        } catch (WireException e) {
            step(new DestinationInput.Broken(Channel.MAIN, String.valueOf(e.getMessage())), now);
        }
        in.position(in.limit());
    }

    private void preemptBytes(int connection, ByteBuffer in, long now) {
        try {
            while (connection == preempt && preemptDecoder != null) {
                StreamMessage message = preemptDecoder.next(in);
                if (message == null) {
                    return;
                }
                if (message instanceof PageRecord record) {
                    page(record, in, Channel.PREEMPT, now);
                }
            }
        } catch (WireException e) {
            step(new DestinationInput.Broken(Channel.PREEMPT, String.valueOf(e.getMessage())), now);
        }
        in.position(in.limit());
    }

    private void message(StreamMessage message, ByteBuffer in, long now) {
        switch (message) {
            case PageRecord record -> page(record, in, Channel.MAIN, now);
            case StreamMessage.Packaged blob -> packaged(blob, now);
            case StreamMessage.RecvBitmap(String name) -> {
                int block = blocks.indexOf(name);
                step(
                        block < 0
                                ? new DestinationInput.Broken(
                                        Channel.MAIN,
                                        "the source asks for the received bitmap of block '" + name
                                                + "', which does not exist here")
                                : new DestinationInput.BitmapAsked(block),
                        now);
            }
            case StreamMessage.EndOfStream _ -> step(new DestinationInput.Ended(countMissing()), now);
            case StreamMessage.Configuration configuration -> {
                String wrong = wrongMachine(configuration);
                step(
                        wrong == null
                                ? new DestinationInput.Received(message)
                                : new DestinationInput.Broken(Channel.MAIN, wrong),
                        now);
            }
            case StreamMessage.MemSize list -> {
                String wrong = adopt(list.infos());
                step(
                        wrong == null
                                ? new DestinationInput.Received(message)
                                : new DestinationInput.Broken(Channel.MAIN, wrong),
                        now);
            }
            case StreamMessage.RamDiscard discard -> {
                int connection = main;
                step(new DestinationInput.Received(message), now);
                if (connection == main) {
                    discard(discard, now);
                }
            }
            case StreamMessage.DeviceState(byte[] verbatim) -> {
                devices = joined(devices, verbatim);
                step(new DestinationInput.Received(message), now);
            }
            case StreamMessage.Header _,
                    StreamMessage.SectionStart _,
                    StreamMessage.SectionPart _,
                    StreamMessage.SectionEnd _,
                    StreamMessage.EndOfRecords _,
                    StreamMessage.Footer _,
                    StreamMessage.MultifdFlush _,
                    StreamMessage.OpenReturnPath _,
                    StreamMessage.Ping _,
                    StreamMessage.PostcopyAdvise _,
                    StreamMessage.PostcopyAdviseNoRam _,
                    StreamMessage.PostcopyListen _,
                    StreamMessage.PostcopyRun _,
                    StreamMessage.EnableColo _,
                    StreamMessage.PostcopyResume _,
                    StreamMessage.SwitchoverStart _,
                    StreamMessage.VmDescription _ -> step(new DestinationInput.Received(message), now);
        }
    }

    private @Nullable String wrongMachine(StreamMessage.Configuration configuration) {
        if (!configuration.machine().equals(machineName)) {
            return "the source's machine is '" + configuration.machine() + "', this one is '" + machineName + "'";
        }
        return configuration.capabilities().isEmpty()
                ? null
                : "the source uses capabilities that are off here: " + configuration.capabilities();
    }

    /** The source's block list against ours: the same names and lengths, in any order. */
    private @Nullable String adopt(List<BlockInfo> theirs) {
        peerBlocks = new int[theirs.size()];
        for (int i = 0; i < peerBlocks.length; i++) {
            BlockInfo block = theirs.get(i);
            int ours = blocks.indexOf(block.name());
            if (ours < 0) {
                return "the source has a RAM block '" + block.name() + "', which does not exist here";
            }
            if (blocks.get(ours).usedLength() != block.usedLength()) {
                return "RAM block '" + block.name() + "' has " + block.usedLength() + " bytes at the source and "
                        + blocks.get(ours).usedLength() + " here: start both with the same memory size";
            }
            peerBlocks[i] = ours;
        }
        if (peerBlocks.length != blocks.size()) {
            return "the source has " + peerBlocks.length + " RAM blocks, there are " + blocks.size() + " here";
        }
        StreamDecoder current = decoder;
        sections = current == null ? null : current.context();
        return null;
    }

    private void page(PageRecord record, ByteBuffer in, Channel channel, long now) {
        switch (machine.pages()) {
            case STORE -> {
                if (record.zero()) {
                    memory.storeZero(peerBlocks[record.block()], record.page());
                    stats.zeroPages++;
                } else {
                    memory.store(peerBlocks[record.block()], record.page(), in, record.dataPosition());
                    stats.normalPages++;
                }
            }
            case PLACE -> place(record, in, now);
            case DROP -> stats.duplicates++;
            case NONE ->
                step(
                        new DestinationInput.Broken(
                                channel, "the source sent a page in " + machine.status() + ", where none may come"),
                        now);
        }
    }

    private void place(PageRecord record, ByteBuffer in, long now) {
        int block = peerBlocks[record.block()];
        boolean fresh = record.zero()
                ? memory.placeZero(block, record.page())
                : memory.place(block, record.page(), in, record.dataPosition());
        if (!fresh) {
            stats.duplicates++;
            return;
        }
        if (record.zero()) {
            stats.zeroPages++;
        } else {
            stats.normalPages++;
        }
        if (--missing == 0) {
            step(new DestinationInput.NothingMissing(), now);
        }
    }

    private void packaged(StreamMessage.Packaged blob, long now) {
        PackagedBlob parsed;
        try {
            parsed = PackagedBlob.parse(blob, decoder == null ? 0 : decoder.offset() - blob.blob().length);
        } catch (WireException e) {
            step(new DestinationInput.Broken(Channel.MAIN, "PACKAGED: " + e.getMessage()), now);
            return;
        }
        devices = joined(devices, parsed.devices());
        step(new DestinationInput.Packaged(parsed.pings()), now);
    }

    private void discard(StreamMessage.RamDiscard discard, long now) {
        int block = blocks.indexOf(discard.block());
        for (StreamMessage.Range range : discard.ranges()) {
            memory.discard(block, range.start() >>> Pages.SHIFT, range.length() >>> Pages.SHIFT);
        }
        machine.progressed(now);
    }

    private long countMissing() {
        long present = 0;
        for (int block = 0; block < blocks.size(); block++) {
            present += memory.received(block).cardinality();
        }
        return blocks.totalPages() - present;
    }

    /** Sends page requests as far as the return path takes them. */
    public void produce(long now) {
        if (main < 0 || !machine.requests()) {
            return;
        }
        missingPages.drain(request);
    }

    private void request(int block, long page) {
        long offset = page << Pages.SHIFT;
        reply(
                block == lastRequestedBlock
                        ? new ReturnPathMessage.ReqPages(offset, Pages.SIZE)
                        : new ReturnPathMessage.ReqPagesId(blocks.get(block).name(), offset, Pages.SIZE));
        lastRequestedBlock = block;
        stats.requests++;
    }

    /** Sections before the block list and those at the end together are the device state. */
    private static byte[] joined(byte[] first, byte[] second) {
        if (first.length == 0) {
            return second;
        }
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private void step(DestinationInput input, long now) {
        inputs.add(input);
        DestinationInput next;
        while ((next = inputs.poll()) != null) {
            DestinationState before = machine.state();
            machine.handle(next, now, effects::add);
            DestinationEffect effect;
            while ((effect = effects.poll()) != null) {
                perform(effect, now);
            }
            if (!before.getClass().equals(machine.state().getClass())) {
                candidates.reconsider();
            }
        }
    }

    private void perform(DestinationEffect effect, long now) {
        switch (effect) {
            case DestinationEffect.Reply(ReturnPathMessage message) -> {
                reply(message);
                if (returnPath.pending() > ANSWER_BACKLOG + blocks.totalPages() / 8 + 64L * blocks.size()) {
                    inputs.add(
                            new DestinationInput.Broken(Channel.MAIN, "the source asks and does not read the answers"));
                }
            }
            case DestinationEffect.SendBitmap(int block) -> sendBitmap(block);
            case DestinationEffect.DropChannels(String reason) -> drop(reason);
            case DestinationEffect.CloseChannels _ -> close();
            case DestinationEffect.ResetMemory _ -> memory.reset();
            case DestinationEffect.BeginPostcopy _ -> {
                memory.beginPostcopy();
                missing = countMissing();
            }
            case DestinationEffect.LoadDevices _ -> inputs.add(load());
            case DestinationEffect.StartGuest _ -> {
                stats.startedGuestAt = now;
                host.startGuest();
            }
            case DestinationEffect.ReissueRequests _ -> missingPages.reissue();
            case DestinationEffect.StatusChanged(MigrationStatus from, MigrationStatus to, String reason) ->
                host.statusChanged(from, to, reason);
            case DestinationEffect.Notice(String text) -> host.notice(text);
        }
    }

    private DestinationInput load() {
        try {
            host.loadDevices(devices);
            return new DestinationInput.Loaded();
        } catch (IllegalArgumentException e) {
            return new DestinationInput.LoadFailed(String.valueOf(e.getMessage()));
        }
    }

    private void reply(ReturnPathMessage message) {
        int size = answers.size(message);
        ByteBuffer out = returnPath.room(size);
        answers.write(message, out);
        returnPath.appended(size);
    }

    private void sendBitmap(int block) {
        ReturnPathEncoder.BitmapWriter writer = answers.bitmap(
                new ReturnPathMessage.RecvBitmap(block, memory.received(block).copy()));
        boolean more = true;
        while (more) {
            ByteBuffer out = returnPath.room(ReturnPathDecoder.MIN_BUFFER);
            int start = out.position();
            more = !writer.write(out);
            returnPath.appended(out.position() - start);
        }
    }

    private DecoderOptions decoding() {
        return DecoderOptions.PLAIN.withPostcopyRam(options.postcopy());
    }

    private void drop(String reason) {
        int formerMain = main;
        int formerPreempt = preempt;
        forgetChannels();
        if (formerMain >= 0) {
            host.abort(formerMain, reason);
        }
        if (formerPreempt >= 0) {
            host.abort(formerPreempt, reason);
        }
    }

    private void close() {
        int formerMain = main;
        int formerPreempt = preempt;
        Outbox rest = returnPath;
        forgetChannels();
        if (formerMain >= 0) {
            host.close(formerMain, rest);
        }
        if (formerPreempt >= 0) {
            host.close(formerPreempt, new Outbox());
        }
    }

    private void forgetChannels() {
        main = -1;
        preempt = -1;
        decoder = null;
        preemptDecoder = null;
        returnPath = new Outbox();
    }
}
