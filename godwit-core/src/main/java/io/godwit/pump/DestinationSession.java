// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.Pages;
import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationEffect;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationMachine;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.PageRule;
import io.godwit.protocol.Parameters;
import io.godwit.wire.EncodedPage;
import io.godwit.wire.PackagedBlob;
import io.godwit.wire.PageRecord;
import io.godwit.wire.PreemptDecoder;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamContext;
import io.godwit.wire.StreamDecoder;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One incoming migration without I/O: the machine, the page path, the codecs, and the judgement of unknown connections. The counterpart of {@link SourceSession}.
 *
 * <p>Used by the migration's loop only. After any call, {@link #produce} fills the return path's outbox.
 */
public final class DestinationSession {
    private static final int[] NONE = {};

    private final DestinationMachine machine;
    private final DestinationHost host;
    private final IncomingGuest guest;
    private final Candidates candidates;
    private final DestinationStats stats = new DestinationStats();
    private final ArrayDeque<DestinationEffect> effects = new ArrayDeque<>();
    private final ArrayDeque<DestinationInput> inputs = new ArrayDeque<>();
    private final ReturnPathWriter returnPath;
    private final IncomingPages pages;
    private final PageRequester requests;
    private final GuestWorks works;
    private final IncomingChannels channels;
    private final @Nullable MultifdIncoming multifd;
    private long patienceMillis;
    private final IncomingDevices devices = new IncomingDevices();
    private boolean stepping;

    /** A migration that somebody awaits. */
    public DestinationSession(
            MigrationOptions options, Parameters parameters, IncomingGuest guest, DestinationHost host) {
        this(options, parameters, new DestinationMachine(options, parameters), guest, host);
    }

    private DestinationSession(
            MigrationOptions options,
            Parameters parameters,
            DestinationMachine machine,
            IncomingGuest guest,
            DestinationHost host) {
        this.machine = machine;
        this.guest = guest;
        this.pages = new IncomingPages(stats);
        this.returnPath = new ReturnPathWriter(pages.blocks());
        this.requests = new PageRequester(guest.missingPages(), returnPath, stats);
        this.works = new GuestWorks(guest, pages, input -> step(input, host.now()));
        this.channels = new IncomingChannels(options);
        this.host = host;
        this.multifd = options.multifd() == null ? null : new MultifdIncoming(options.multifd(), guest.known());
        this.patienceMillis = parameters.handshakeTimeoutMillis();
        this.candidates = new Candidates(options, parameters, pages, multifd, host, stats);
        if (guest.known()) {
            use(guest.memory());
        }
    }

    /**
     * A migration that an earlier process began and that is past its commit point: paused, until its source comes back.
     *
     * @param guest knows its memory already
     * @param context the source's blocks, as the guest's memory has them, and its section id
     */
    public static DestinationSession interrupted(
            MigrationOptions options,
            Parameters parameters,
            IncomingGuest guest,
            StreamContext context,
            DestinationHost host) {
        IncomingPages probe = new IncomingPages(new DestinationStats());
        probe.use(guest.memory());
        boolean whole = probe.countMissing() == 0;
        DestinationMachine machine = DestinationMachine.interrupted(
                options, parameters, context.blocks().size(), whole);
        DestinationSession session = new DestinationSession(options, parameters, machine, guest, host);
        String wrong = session.pages.adopt(context.blocks().list());
        if (wrong != null) {
            throw new IllegalArgumentException(wrong);
        }
        session.channels.remember(context);
        session.pages.recount();
        return session;
    }

    private void use(PageSink memory) {
        pages.use(memory);
        returnPath.use(memory.blocks());
    }

    public DestinationMachine machine() {
        return machine;
    }

    public DestinationStats stats() {
        return stats;
    }

    /** Whether a channel is kept though the migration is paused: one in a handshake, or one that may become one and has not spoken yet. */
    public boolean holdsChannel() {
        return machine.held() || (machine.state() instanceof DestinationState.Paused && candidates.kept(machine));
    }

    /** Bytes of all RAM, 0 as long as that is not known. */
    public long totalBytes() {
        return pages.blocks().totalPages() * Pages.SIZE;
    }

    /** Pages not received yet; counted from the switch to postcopy on. */
    public long missing() {
        return pages.missing();
    }

    public @Nullable Outbox outbox(int connection) {
        return connection >= 0 && connection == channels.main() ? returnPath.outbox() : null;
    }

    public void parameters(Parameters parameters) {
        machine.parameters(parameters);
        candidates.parameters(parameters);
        patienceMillis = parameters.handshakeTimeoutMillis();
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

    /** Takes the place of a session whose migration failed: who waits there has waited in vain, and what failed can still be said. */
    public void succeed(DestinationSession former) {
        former.candidates.dropAll("another migration is awaited now");
        machine.succeed(former.machine);
    }

    /** Somebody connected; who it is will show. */
    public void accepted(int connection, String peer, long now) {
        candidates.add(connection, peer, channels.main(), now);
    }

    public void broken(int connection, String reason, long now) {
        if (connection == channels.main()) {
            step(new DestinationInput.Broken(Channel.MAIN, reason), now);
        } else if (connection == channels.preempt()) {
            step(new DestinationInput.Broken(Channel.PREEMPT, reason), now);
        } else if (multifd != null && multifd.has(connection)) {
            if (multifd.ended(connection)) {
                step(new DestinationInput.Broken(Channel.MULTIFD, reason), now);
            } else {
                meet(now);
            }
        } else {
            candidates.gone(connection);
        }
    }

    public long nextTick() {
        long next =
                Math.min(machine.nextTick(requests.owedSince()), candidates.nextTick(machine, channels.main() >= 0));
        return multifd == null ? next : Math.min(next, multifd.deadline(patienceMillis));
    }

    public void tick(long now) {
        step(new DestinationInput.Tick(requests.owedSince()), now);
        candidates.tick(machine, channels.main() >= 0, now);
        if (multifd != null && now >= multifd.deadline(patienceMillis)) {
            step(new DestinationInput.Broken(Channel.MULTIFD, multifd.lackingSentence()), now);
        }
    }

    /** An operator breaks the channels as if the network had. False if there are none. */
    public boolean yank(long now) {
        if (channels.main() < 0) {
            return false;
        }
        step(new DestinationInput.Broken(Channel.MAIN, "broken by the operator (yank)"), now);
        return true;
    }

    /** Bytes came. What remains in the buffer afterwards is to be offered again with more bytes, or after {@link DestinationHost#again}. */
    public void received(int connection, ByteBuffer in, long now) {
        if (connection != channels.main()
                && connection != channels.preempt()
                && (multifd == null || !multifd.has(connection))) {
            judge(connection, in, now);
        }
        if (connection == channels.main()) {
            machine.progressed(now);
            if (machine.held() && in.hasRemaining()) {
                step(new DestinationInput.Revived(), now);
            }
            mainBytes(in, now);
        } else if (connection == channels.preempt()) {
            machine.progressed(now);
            preemptBytes(in, now);
        } else if (multifd != null && multifd.has(connection)) {
            machine.progressed(now);
            multifdBytes(multifd, connection, in, now);
        }
    }

    /** Whether nothing more is to be read from the connection, not even its end, before {@link DestinationHost#again}. */
    public boolean waits(int connection) {
        if (multifd == null) {
            return false;
        }
        return connection == channels.main()
                ? multifd.mainWaits()
                : multifd.waits(connection) || candidates.unread(connection);
    }

    private void judge(int connection, ByteBuffer in, long now) {
        switch (candidates.judge(connection, in, machine, channels.main(), channels.preempt() >= 0)) {
            case WAIT -> {}
            case DROPPED -> in.position(in.limit());
            case MAIN -> {
                stats.startedAt = now;
                devices.reset();
                returnPath.renew();
                channels.begin(connection);
                step(new DestinationInput.MainOpened(), now);
            }
            case RECOVERY -> {
                step(new DestinationInput.RecoveryOpened(), now);
                stats.recoveries++;
                returnPath.renew();
                channels.recover(connection);
            }
            case PREEMPT -> channels.addPreempt(connection);
            case MULTIFD -> take(connection, in);
            case CLASH -> {
                in.position(in.limit());
                step(
                        new DestinationInput.Broken(
                                Channel.MULTIFD,
                                "two connections say that they are the same channel, or of different attempts: which of them is the source's cannot be told; migrate again"),
                        now);
            }
        }
    }

    private void take(int connection, ByteBuffer in) {
        MultifdIncoming pageChannels = Objects.requireNonNull(multifd);
        try {
            pageChannels.take(connection, in);
        } catch (WireException e) {
            throw new IllegalStateException("a multifd channel was judged good and is not", e);
        }
    }

    private void multifdBytes(MultifdIncoming pageChannels, int connection, ByteBuffer in, long now) {
        if (!(machine.state() instanceof DestinationState.Active)) {
            // Past the switch the channels idle until the end (spec/multifd.md §6).
            in.position(in.limit());
            return;
        }
        int before = in.remaining();
        try {
            pageChannels.read(connection, in, pages);
            stats.multifdBytes += before - in.remaining();
            meet(now);
            return;
        } catch (WireException e) {
            step(new DestinationInput.Broken(Channel.MULTIFD, String.valueOf(e.getMessage())), now);
        } catch (StorageException e) {
            step(new DestinationInput.StorageFailed(String.valueOf(e.getMessage())), now);
        }
        in.position(in.limit());
    }

    /** Where all have come to the sync point they go on; if one of them never will, that is the end. */
    private void meet(long now) {
        MultifdIncoming pageChannels = multifd;
        if (pageChannels == null || !(machine.state() instanceof DestinationState.Active)) {
            return;
        }
        if (pageChannels.met()) {
            pageChannels.goOn();
            host.again(channels.main());
            for (int connection : pageChannels.connections()) {
                host.again(connection);
            }
        } else if (pageChannels.missed() >= 0) {
            step(
                    new DestinationInput.Broken(
                            Channel.MULTIFD,
                            "channel " + pageChannels.missed()
                                    + " has ended before the sync point of the main channel"),
                    now);
        }
    }

    private void mainBytes(ByteBuffer in, long now) {
        try {
            StreamDecoder decoder = channels.stream();
            while (decoder != null && decoder == channels.stream()) {
                boolean held = machine.working() || (multifd != null && multifd.mainWaits());
                StreamMessage message = held ? null : decoder.next(in);
                if (message == null) {
                    stats.received(decoder.offset());
                    return;
                }
                message(message, in, now);
            }
        } catch (WireException e) {
            step(new DestinationInput.Broken(Channel.MAIN, String.valueOf(e.getMessage())), now);
        } catch (StorageException e) {
            step(new DestinationInput.StorageFailed(String.valueOf(e.getMessage())), now);
        }
        in.position(in.limit());
    }

    private void preemptBytes(ByteBuffer in, long now) {
        try {
            PreemptDecoder decoder = channels.pages();
            while (decoder != null && decoder == channels.pages()) {
                StreamMessage message = decoder.next(in);
                if (message == null) {
                    return;
                }
                if (message instanceof PageRecord record) {
                    page(record, in, Channel.PREEMPT, now);
                }
            }
        } catch (WireException e) {
            step(new DestinationInput.Broken(Channel.PREEMPT, String.valueOf(e.getMessage())), now);
        } catch (StorageException e) {
            step(new DestinationInput.StorageFailed(String.valueOf(e.getMessage())), now);
        }
        in.position(in.limit());
    }

    private void message(StreamMessage message, ByteBuffer in, long now) throws WireException {
        switch (message) {
            case PageRecord record -> page(record, in, Channel.MAIN, now);
            case EncodedPage record -> {
                if (machine.pages() == PageRule.STORE) {
                    pages.store(record);
                } else {
                    outOfPlace(Channel.MAIN, now);
                }
            }
            case StreamMessage.Packaged blob -> packaged(blob, now);
            case StreamMessage.RecvBitmap(String name) -> {
                int block = pages.blocks().indexOf(name);
                step(
                        block < 0
                                ? new DestinationInput.Broken(
                                        Channel.MAIN,
                                        "the source asks for the received bitmap of block '" + name
                                                + "', which does not exist here")
                                : new DestinationInput.BitmapAsked(block),
                        now);
            }
            case StreamMessage.EndOfStream _ -> {
                if (mixed(now)) {
                    return;
                }
                description(in);
                step(new DestinationInput.Ended(pages.countMissing()), now);
            }
            case StreamMessage.Configuration configuration -> {
                devices.configure(configuration);
                unless(guest.unfit(configuration), message, now);
            }
            case StreamMessage.MemSize list -> unless(adopt(list), message, now);
            case StreamMessage.RamDiscard discard -> {
                int connection = channels.main();
                step(new DestinationInput.Received(message), now);
                if (connection == channels.main()) {
                    pages.discard(discard);
                    machine.progressed(now);
                }
            }
            case StreamMessage.DeviceState(byte[] verbatim) -> {
                boolean beforeMemory = machine.state() instanceof DestinationState.Active active && !active.memory();
                devices.add(verbatim, beforeMemory);
                step(new DestinationInput.Received(message), now);
            }
            case StreamMessage.EndOfRecords _, StreamMessage.MultifdFlush _ -> {
                step(new DestinationInput.Received(message), now);
                if (multifd != null && machine.state() instanceof DestinationState.Active) {
                    multifd.main(message, now);
                    meet(now);
                }
            }
            case StreamMessage.Header _,
                    StreamMessage.SectionStart _,
                    StreamMessage.SectionPart _,
                    StreamMessage.SectionEnd _,
                    StreamMessage.Footer _,
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

    private @Nullable String adopt(StreamMessage.MemSize list) {
        channels.learn();
        boolean returnPath = machine.state() instanceof DestinationState.Active active && active.returnPath();
        int ram = channels.taught().ramSectionId();
        String wrong = guest.adopt(new Arrival(
                new StreamIdentity(devices.configuration(), ram), list.infos(), returnPath, machine.nonce()));
        if (wrong == null) {
            use(guest.memory());
            wrong = pages.adopt(list.infos());
        }
        if (wrong == null && multifd != null) {
            multifd.blocks(pages.blocks());
        }
        return wrong;
    }

    /** With device sections in the stream their description has come whole before EOF is told of; otherwise it is worth no waiting. */
    private void description(ByteBuffer in) {
        StreamDecoder decoder = channels.stream();
        if (decoder == null || !(machine.state() instanceof DestinationState.Active)) {
            return;
        }
        try {
            if (decoder.next(in) instanceof StreamMessage.VmDescription(byte[] json)) {
                devices.describe(json);
            }
        } catch (WireException e) {
            host.notice("what follows the end of the migration is no description of the devices: " + e.getMessage());
        }
    }

    private void page(PageRecord record, ByteBuffer in, Channel channel, long now) {
        switch (machine.pages()) {
            case STORE -> pages.store(record, in);
            case PLACE -> {
                if (pages.place(record, in)) {
                    step(new DestinationInput.NothingMissing(), now);
                }
            }
            case DROP -> stats.duplicates++;
            case NONE -> outOfPlace(channel, now);
        }
    }

    private void outOfPlace(Channel channel, long now) {
        step(
                new DestinationInput.Broken(
                        channel, "the source sent a page in " + machine.status() + ", where none may come"),
                now);
    }

    /** Whether pages of another attempt may have come on a channel that was taken for this one's; the migration has failed then. */
    private boolean mixed(long now) {
        int foreign = multifd == null || !(machine.state() instanceof DestinationState.Active)
                ? -1
                : multifd.foreign(machine.nonce());
        if (foreign >= 0) {
            step(
                    new DestinationInput.Broken(
                            Channel.MULTIFD, "channel " + foreign + " belongs to an earlier attempt; migrate again"),
                    now);
        }
        return foreign >= 0;
    }

    private void packaged(StreamMessage.Packaged blob, long now) {
        if (mixed(now)) {
            return;
        }
        StreamDecoder decoder = channels.stream();
        PackagedBlob parsed;
        try {
            parsed = PackagedBlob.parse(blob, decoder == null ? 0 : decoder.offset() - blob.blob().length);
        } catch (WireException e) {
            step(new DestinationInput.Broken(Channel.MAIN, "PACKAGED: " + e.getMessage()), now);
            return;
        }
        devices.add(parsed.devices(), false);
        step(new DestinationInput.Packaged(parsed.pings()), now);
    }

    private void unless(@Nullable String wrong, StreamMessage message, long now) {
        step(
                wrong == null
                        ? new DestinationInput.Received(message)
                        : new DestinationInput.Broken(Channel.MAIN, wrong),
                now);
    }

    /** Sends page requests as far as the return path takes them. */
    public void produce(long now) {
        if (channels.main() < 0 || !machine.requests()) {
            return;
        }
        requests.produce(pages.memory(), now);
    }

    private void step(DestinationInput input, long now) {
        inputs.add(input);
        if (stepping) {
            // A work that was answered from inside the call that began it.
            return;
        }
        stepping = true;
        try {
            steps(now);
        } finally {
            stepping = false;
        }
    }

    private void steps(long now) {
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
            if (before.working() && !machine.working() && channels.main() >= 0) {
                host.again(channels.main());
            }
        }
    }

    private void perform(DestinationEffect effect, long now) {
        switch (effect) {
            case DestinationEffect.Reply(ReturnPathMessage message) -> {
                returnPath.reply(message);
                if (returnPath.backlogged()) {
                    inputs.add(
                            new DestinationInput.Broken(Channel.MAIN, "the source asks and does not read the answers"));
                }
            }
            case DestinationEffect.SendBitmap(int block) ->
                returnPath.received(block, pages.memory().received(block));
            case DestinationEffect.DropChannels(String reason) -> drop(reason);
            case DestinationEffect.CloseChannels _ -> close();
            case DestinationEffect.ResetMemory _ -> works.reset();
            case DestinationEffect.BeginPostcopy _ -> pages.beginPostcopy();
            case DestinationEffect.LoadDevices(boolean postcopy, boolean confirmed) ->
                works.load(devices.state(), postcopy, confirmed);
            case DestinationEffect.Finish(boolean confirmed) -> works.finish(confirmed);
            case DestinationEffect.Mend _ -> works.mend();
            case DestinationEffect.StartGuest _ -> {
                stats.startedGuestAt = now;
                host.startGuest();
            }
            case DestinationEffect.ReissueRequests _ -> requests.reissue();
            case DestinationEffect.StatusChanged(MigrationStatus from, MigrationStatus to, String reason) ->
                host.statusChanged(from, to, reason);
            case DestinationEffect.Notice(String text) -> host.notice(text);
        }
    }

    private void drop(String reason) {
        int formerMain = channels.main();
        int formerPreempt = channels.preempt();
        int[] others = multifd == null ? NONE : multifd.connections();
        forgetChannels();
        if (formerMain >= 0) {
            host.abort(formerMain, reason);
        }
        for (int other : others) {
            host.abort(other, reason);
        }
        if (formerPreempt >= 0) {
            host.abort(formerPreempt, reason);
        }
    }

    private void close() {
        int formerMain = channels.main();
        int formerPreempt = channels.preempt();
        Outbox rest = returnPath.outbox();
        int[] others = multifd == null ? NONE : multifd.connections();
        forgetChannels();
        if (formerMain >= 0) {
            host.close(formerMain, rest);
        }
        if (formerPreempt >= 0) {
            host.close(formerPreempt, new Outbox());
        }
        for (int other : others) {
            host.close(other, new Outbox());
        }
    }

    private void forgetChannels() {
        channels.forget();
        if (multifd != null) {
            multifd.forget();
        }
        pages.release();
        requests.forgetChannel();
        returnPath.renew();
    }
}
