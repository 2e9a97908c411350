// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.protocol.Channel;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.PageScheduler;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.SourceEffect;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceInput.Mark;
import io.godwit.protocol.SourceMachine;
import io.godwit.protocol.SourceState;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One outgoing migration without I/O: the machine, the page path and the codecs. Bytes and times go in by method calls; bytes come out of the {@link #outbox}es, everything
 * else goes to the {@link SourceHost}. The engine drives it with sockets, the simulator with a simulated network: the same code.
 *
 * <p>Used by the migration's loop only. After any call, {@link #produce} fills the outboxes.
 */
public final class SourceSession {
    private final SourceMachine machine;
    private final SourceHost host;
    private final PageSource memory;
    private final BlockTable blocks;
    private final PageScheduler scheduler;
    private final SourceOutlets outlets;
    private final SourceStreams streams;
    private final SourcePages pages;
    private final SourceChannels channels;
    private final SourceStats stats = new SourceStats();
    private final ReturnPathReader returnPath;
    /** The last byte is on its way through something that says when it has come through. */
    private boolean awaitsEnd;
    /** Whether it is known here which pages the destination lacks. */
    private boolean lacksKnown;

    private final ArrayDeque<SourceEffect> effects = new ArrayDeque<>();

    /** A new migration. */
    public SourceSession(MigrationOptions options, Parameters parameters, OutgoingGuest guest, SourceHost host) {
        this(options, parameters, new SourceMachine(options, parameters), guest, host);
        lacksKnown = true;
    }

    private SourceSession(
            MigrationOptions options,
            Parameters parameters,
            SourceMachine machine,
            OutgoingGuest guest,
            SourceHost host) {
        this.machine = machine;
        this.host = host;
        this.memory = guest.memory();
        this.blocks = memory.blocks();
        this.scheduler = new PageScheduler(blocks);
        this.outlets = new SourceOutlets(
                options.multifd() == null
                        ? null
                        : new MultifdOutgoing(options.multifd(), options, guest, scheduler, stats));
        this.streams = new SourceStreams(options, guest, scheduler, outlets);
        this.pages = new SourcePages(options, parameters, guest, scheduler, outlets, stats);
        this.channels = new SourceChannels(host, outlets);
        this.returnPath = new ReturnPathReader(blocks, scheduler, channels, stats, this::step);
    }

    /**
     * A migration that an earlier process began and may have carried past its commit point. What the destination has is not known before a recovery asks
     * for it, and which pages were never sent is not known at all, so what it claims is believed.
     *
     * @param options the nonce is that of the earlier process
     */
    public static SourceSession interrupted(
            MigrationOptions options,
            Parameters parameters,
            SourceState.Lost origin,
            OutgoingGuest guest,
            SourceHost host) {
        SourceMachine machine = SourceMachine.interrupted(options, parameters, origin);
        SourceSession session = new SourceSession(options, parameters, machine, guest, host);
        session.scheduler.markAllAgain();
        return session;
    }

    public SourceMachine machine() {
        return machine;
    }

    public SourceStats stats() {
        return stats;
    }

    /** Whether a channel is kept though the migration is paused. */
    public boolean holdsChannel() {
        return machine.held();
    }

    /** Bytes of all RAM. */
    public long totalBytes() {
        return blocks.totalPages() * Pages.SIZE;
    }

    /** Bytes of memory still to be sent. */
    public long remainingBytes() {
        return scheduler.remaining() * Pages.SIZE;
    }

    /** Bytes appended for the current main connection and not handed to the kernel yet. */
    public @Nullable Outbox outbox(int connection) {
        return channels.outbox(connection);
    }

    /** When a call of {@link #tick} is wanted, or {@link Long#MAX_VALUE}. */
    public long nextTick(long now) {
        return Math.min(machine.nextTick(), pages.nextTick(machine, now));
    }

    /** Pages of which it is known that the destination does not have them: none as long as only an earlier process knew. */
    public long unsent() {
        return lacksKnown ? scheduler.remaining() : 0;
    }

    /** Takes effect at once. */
    public void parameters(Parameters parameters) {
        machine.parameters(parameters);
        pages.parameters(parameters);
    }

    /**
     * An operator's word.
     *
     * @return the sentence by which it is refused, or null
     */
    public @Nullable String operator(SourceInput input, long now) {
        String refusal = machine.refuse(input);
        if (refusal == null) {
            if (input instanceof SourceInput.Migrate) {
                stats.startedAt = now;
            }
            step(input, now);
        }
        return refusal;
    }

    public void connected(int connection, long now) {
        if (channels.isMain(connection)) {
            if (stats.setupDoneAt < 0) {
                stats.setupDoneAt = now;
            } else {
                stats.recoveries++;
            }
            returnPath.begin();
            step(new SourceInput.Connected(Channel.MAIN), now);
        } else if (channels.isPreempt(connection)) {
            step(new SourceInput.Connected(Channel.PREEMPT), now);
        } else if (channels.multifd(connection) >= 0 && channels.connectedLast()) {
            step(new SourceInput.Connected(Channel.MULTIFD), now);
        }
    }

    /**
     * What is at the other end has ended in order.
     *
     * @return false if that was not waited for: then the connection is lost
     */
    public boolean ended(int connection, long now) {
        boolean confirmed = channels.isMain(connection) && awaitsEnd;
        if (confirmed) {
            awaitsEnd = false;
            step(new SourceInput.Written(Mark.END), now);
        }
        return confirmed;
    }

    /** The connection could not be made, or is gone. */
    public void broken(int connection, String reason, long now) {
        int channel = channels.multifd(connection);
        if (channels.isMain(connection)) {
            step(new SourceInput.Broken(Channel.MAIN, reason), now);
        } else if (channels.isPreempt(connection)) {
            channels.forget(connection);
            step(new SourceInput.Broken(Channel.PREEMPT, reason), now);
        } else if (channel >= 0) {
            channels.forget(connection);
            step(new SourceInput.Broken(Channel.MULTIFD, "channel " + channel + ": " + reason), now);
        }
    }

    /** An operator breaks the channels as if the network had. False if there are none. */
    public boolean yank(long now) {
        if (!channels.hasMain()) {
            return false;
        }
        step(new SourceInput.Broken(Channel.MAIN, "broken by the operator (yank)"), now);
        return true;
    }

    /** Bytes came; all that make whole messages are consumed. */
    public void received(int connection, ByteBuffer in, long now) {
        if (!channels.isMain(connection)) {
            if (channels.isPreempt(connection) && in.hasRemaining()) {
                step(
                        new SourceInput.Broken(
                                Channel.PREEMPT,
                                "the destination wrote to the preempt channel, which carries nothing in that direction"),
                        now);
            } else if (channels.multifd(connection) >= 0 && in.hasRemaining()) {
                step(
                        new SourceInput.Broken(
                                Channel.MULTIFD,
                                "the destination wrote to a multifd channel, which carries nothing in that direction"),
                        now);
            }
            in.position(in.limit());
            return;
        }
        if (!machine.options().returnPath() && host.confirms(connection)) {
            in.position(in.limit()); // a command may say what it likes
            return;
        }
        machine.progressed(now);
        if (machine.held() && in.hasRemaining()) {
            step(new SourceInput.Revived(), now);
        }
        returnPath.read(connection, in, now);
    }

    public void guestStopped(long now) {
        stats.stoppedAt = now;
        step(new SourceInput.GuestStopped(), now);
    }

    /** It could not be stopped, or what says so could not be made durable. */
    public void guestNotStopped(String reason, long now) {
        step(new SourceInput.StopFailed(reason), now);
    }

    /** Some of the outbox was handed to the kernel. */
    public void written(int connection, long now) {
        if (channels.multifd(connection) >= 0) {
            machine.movedBeside(now);
            outlets.multifdWritten();
            return;
        }
        if (!channels.isMain(connection)) {
            return;
        }
        machine.moved(now);
        Mark mark;
        while (channels.isMain(connection) && (mark = outlets.main().reached()) != null) {
            if (mark == Mark.END && !machine.options().returnPath() && host.confirms(connection)) {
                // It counts as written once it has come through: a full disk is found out only now.
                awaitsEnd = true;
                host.endOutput(connection);
            } else {
                step(new SourceInput.Written(mark), now);
            }
        }
    }

    /** Time has passed. */
    public void tick(long now) {
        if (awaitsEnd) {
            machine.progressed(now); // a sync takes what it takes, and its failure is told
        }
        step(new SourceInput.Tick(), now);
    }

    /** Fills the outboxes as far as they may be filled now. */
    public void produce(long now) {
        SourceInput input;
        while ((input = pages.produce(machine, channels.hasMain(), channels.hasPreempt(), host::passStarted, now))
                != null) {
            step(input, now);
        }
    }

    private void step(SourceInput input, long now) {
        machine.handle(input, now, effects::add);
        if (stats.handedOverAt < 0 && machine.state() instanceof SourceState.PostcopyActive active && active.proven()) {
            stats.handedOverAt = now;
        }
        SourceEffect effect;
        while ((effect = effects.poll()) != null) {
            perform(effect, now);
        }
    }

    private void perform(SourceEffect effect, long now) {
        switch (effect) {
            case SourceEffect.Connect(Channel channel) -> channels.connect(channel);
            case SourceEffect.DropChannels(String reason) -> dropChannels(reason);
            case SourceEffect.SendOpening _ -> {
                pages.restart();
                streams.opening();
            }
            case SourceEffect.BeginPrecopy _ -> {
                memory.trackDirty(true);
                scheduler.markAll();
                streams.beginPrecopy();
                pages.beginPrecopy(now);
                host.passStarted(stats.passes);
            }
            case SourceEffect.SendKeepAlive _ -> streams.keepAlive();
            case SourceEffect.StopGuest(boolean postcopy) ->
                host.stopGuest(new Departure(postcopy, machine.options().nonce()));
            case SourceEffect.ResumeGuest _ -> host.resumeGuest();
            case SourceEffect.FreezeDirty _ -> pages.harvest(now);
            case SourceEffect.SendPrecopyEnd _ -> withState(streams::precopyEnd, now);
            case SourceEffect.SendSwitchToPostcopy _ -> {
                if (channels.hasMain()) {
                    host.keepShallow(channels.main());
                }
                withState(
                        state -> {
                            pages.beginPostcopy();
                            streams.switchToPostcopy(state);
                        },
                        now);
            }
            case SourceEffect.SendPostcopyEnd _ -> {
                streams.postcopyEnd();
                if (channels.hasPreempt()) {
                    pages.endPreempt();
                }
            }
            case SourceEffect.SendBitmapRequests _ -> {
                host.keepShallow(channels.main());
                streams.bitmapRequests();
            }
            case SourceEffect.SendResume _ -> {
                scheduler.restart(returnPath.bitmaps());
                lacksKnown = true;
                pages.restart();
                streams.resume();
            }
            case SourceEffect.Forget _ -> memory.trackDirty(false);
            case SourceEffect.CloseChannels _ -> {
                channels.close();
                returnPath.end();
            }
            case SourceEffect.StatusChanged(MigrationStatus from, MigrationStatus to, String reason) -> {
                clock(to, now);
                host.statusChanged(from, to, reason);
            }
        }
    }

    /** A parked guest's device state is on a disk. Its commit point is not passed yet: the guest stays. */
    private void withState(Consumer<MachineState> sends, long now) {
        MachineState state;
        try {
            state = host.machineState();
        } catch (StorageException e) {
            step(new SourceInput.StorageFailed("the device state cannot be read: " + e.getMessage()), now);
            return;
        }
        sends.accept(state);
    }

    private void clock(MigrationStatus to, long now) {
        if (to == MigrationStatus.COMPLETED || to == MigrationStatus.FAILED || to == MigrationStatus.CANCELLED) {
            stats.endedAt = now;
        }
        if (to == MigrationStatus.COMPLETED && stats.handedOverAt < 0) {
            stats.handedOverAt = now;
        }
    }

    private void dropChannels(String reason) {
        returnPath.end();
        awaitsEnd = false;
        // Where guest data is held nothing more was to come on the channels of pages: they end as they would have
        // ended.
        channels.drop(reason, machine.holdsGuestData());
    }
}
