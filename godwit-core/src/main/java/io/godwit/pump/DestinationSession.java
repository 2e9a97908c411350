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
import io.godwit.protocol.Parameters;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamContext;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One incoming migration without I/O: the machine, the page path, the codecs, and the judgement of unknown connections. The counterpart of {@link SourceSession}.
 *
 * <p>Used by the migration's loop only. After any call, {@link #produce} fills the return path's outbox.
 */
public final class DestinationSession {
    private final DestinationMachine machine;
    private final DestinationHost host;
    private final Candidates candidates;
    private final DestinationStats stats = new DestinationStats();
    private final ArrayDeque<DestinationEffect> effects = new ArrayDeque<>();
    private final ArrayDeque<DestinationInput> inputs = new ArrayDeque<>();
    private final ReturnPathWriter returnPath;
    private final IncomingPages pages;
    private final PageRequester requests;
    private final GuestWorks works;
    private final IncomingChannels channels;
    private final MultifdLink multifd;
    private final DestinationReader reader;
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
        this.pages = new IncomingPages(stats);
        this.returnPath = new ReturnPathWriter(pages.blocks());
        this.requests = new PageRequester(guest.missingPages(), returnPath, stats);
        this.works = new GuestWorks(guest, pages, input -> step(input, host.now()));
        this.channels = new IncomingChannels(options);
        this.host = host;
        MultifdIncoming incoming =
                options.multifd() == null ? null : new MultifdIncoming(options.multifd(), guest.known());
        this.multifd = new MultifdLink(incoming, machine, channels, host, stats, input -> step(input, host.now()));
        this.reader = new DestinationReader(
                machine, guest, pages, channels, devices, multifd, host, stats, returnPath, this::step);
        this.patienceMillis = parameters.handshakeTimeoutMillis();
        this.candidates = new Candidates(options, parameters, pages, incoming, host, stats);
        if (guest.known()) {
            reader.use(guest.memory());
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

    public DestinationMachine machine() {
        return machine;
    }

    /** Somebody connected who never got as far as a first byte for this session. */
    public void stray() {
        stats.strays++;
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

    /** Bytes of RAM not received yet. In precopy that is counted when it is asked for, some 10 µs per GiB, and some of what was received may come again. */
    public long remainingBytes() {
        long remaining = machine.state() instanceof DestinationState.Active ? pages.countMissing() : pages.missing();
        return remaining * Pages.SIZE;
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
        } else if (multifd.has(connection)) {
            multifd.broken(connection, reason);
        } else {
            candidates.gone(connection);
        }
    }

    /** As {@link #broken}, of a connection in whose place no other can come (a file, a command): without it there is nothing to wait for. */
    public void onlyOneLost(int connection, String reason, long now) {
        broken(connection, reason, now);
        if (machine.state() instanceof DestinationState.Listening) {
            step(new DestinationInput.Broken(Channel.MAIN, reason), now);
        }
    }

    /** The peer has ended its direction in order; {@link #broken} will follow. */
    public void ended(int connection, long now) {
        if (connection == channels.main()) {
            reader.mainEnded(now);
        }
    }

    public long nextTick() {
        long next =
                Math.min(machine.nextTick(requests.owedSince()), candidates.nextTick(machine, channels.main() >= 0));
        return Math.min(Math.min(next, reader.nextTick()), multifd.nextTick(patienceMillis));
    }

    public void tick(long now) {
        step(new DestinationInput.Tick(requests.owedSince()), now);
        candidates.tick(machine, channels.main() >= 0, now);
        multifd.tick(patienceMillis, now);
        reader.tick(now);
    }

    /**
     * An operator breaks the channels as if the network had; where there is no main channel, those of whoever waits for one, unless it may be a QEMU whose recovery ends for good with its
     * connection. False if there are none.
     */
    public boolean yank(long now) {
        String why = "broken by the operator (yank)";
        if (channels.main() < 0) {
            return !candidates.kept(machine) && candidates.dropAll(why);
        }
        step(new DestinationInput.Broken(Channel.MAIN, why), now);
        return true;
    }

    /** Bytes came. What remains in the buffer afterwards is to be offered again with more bytes, or after {@link DestinationHost#again}. */
    public void received(int connection, ByteBuffer in, long now) {
        if (connection != channels.main() && connection != channels.preempt() && !multifd.has(connection)) {
            judge(connection, in, now);
        }
        if (connection == channels.main()) {
            machine.progressed(now);
            if (machine.held() && in.hasRemaining()) {
                step(new DestinationInput.Revived(), now);
            }
            reader.main(in, now);
        } else if (connection == channels.preempt()) {
            machine.progressed(now);
            reader.preempt(in, now);
        } else if (multifd.has(connection)) {
            machine.progressed(now);
            multifd.read(connection, in, pages);
        }
    }

    /** Whether nothing more is to be read from the connection, not even its end, before {@link DestinationHost#again}. */
    public boolean waits(int connection) {
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
            case MULTIFD -> multifd.take(connection, in);
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
        int[] others = multifd.connections();
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
        int[] others = multifd.connections();
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
        multifd.forget();
        pages.release();
        requests.forgetChannel();
        returnPath.renew();
    }
}
