// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationMachine;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.PageRule;
import io.godwit.wire.EncodedPage;
import io.godwit.wire.PackagedBlob;
import io.godwit.wire.PageRecord;
import io.godwit.wire.PreemptDecoder;
import io.godwit.wire.StreamDecoder;
import io.godwit.wire.StreamMessage;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a source sends: main's messages and the pages of the preempt channel, into inputs of the machine, pages of the guest and its devices. A part of {@link DestinationSession}, on its loop.
 */
final class DestinationReader {
    /**
     * So long nothing comes where a stream that does not describe its devices may end, until that is its end: nanoseconds. Every such migration waits for it, so it is
     * far below the deadlines of a source; but a path that stands still for a moment does not end a stream, wherever that happens.
     */
    private static final long SILENCE = 2_000_000_000L;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    private final DestinationMachine machine;
    private final IncomingGuest guest;
    private final IncomingPages pages;
    private final IncomingChannels channels;
    private final IncomingDevices devices;
    private final MultifdLink multifd;
    private final DestinationHost host;
    private final DestinationStats stats;
    private final ReturnPathWriter returnPath;
    private final Stepper stepper;
    /** When bytes came on the main channel last. */
    private long heardAt;
    /** It was silent for long enough, as far as this loop knows, which may have stood still itself: what came meanwhile is read first. */
    private boolean silent;

    /** Gives the machine an input, and carries out what it says. */
    interface Stepper {
        void step(DestinationInput input, long now);
    }

    DestinationReader(
            DestinationMachine machine,
            IncomingGuest guest,
            IncomingPages pages,
            IncomingChannels channels,
            IncomingDevices devices,
            MultifdLink multifd,
            DestinationHost host,
            DestinationStats stats,
            ReturnPathWriter returnPath,
            Stepper stepper) {
        this.machine = machine;
        this.guest = guest;
        this.pages = pages;
        this.channels = channels;
        this.devices = devices;
        this.multifd = multifd;
        this.host = host;
        this.stats = stats;
        this.returnPath = returnPath;
        this.stepper = stepper;
    }

    private void step(DestinationInput input, long now) {
        stepper.step(input, now);
    }

    /** The guest's memory is known. */
    void use(PageSink memory) {
        pages.use(memory);
        returnPath.use(memory.blocks());
    }

    /** When {@link #tick} is wanted, or {@link Long#MAX_VALUE}. */
    long nextTick() {
        StreamDecoder decoder = channels.stream();
        return decoder != null && decoder.mayEnd(mayBeBare()) ? heardAt + SILENCE : Long.MAX_VALUE;
    }

    /** A Godwit, which names its migration, always sends a vmdesc; so no bytes of a guest of its can pass for an end without one. */
    private boolean mayBeBare() {
        return machine.nonce() < 0;
    }

    void tick(long now) {
        if (now < nextTick()) {
            return;
        }
        if (silent) {
            mainEnded(now);
        }
        silent = !silent;
    }

    /** Nothing more comes on the main channel: where only that can say so, it was the end of the stream. */
    void mainEnded(long now) {
        StreamDecoder decoder = channels.stream();
        if (decoder != null && decoder.mayEnd(mayBeBare())) {
            decoder.nothingFollows();
            read(NOTHING, now);
        }
    }

    void main(ByteBuffer in, long now) {
        heardAt = now;
        silent = false;
        read(in, now);
    }

    private void read(ByteBuffer in, long now) {
        try {
            StreamDecoder decoder = channels.stream();
            while (decoder != null && decoder == channels.stream()) {
                boolean held = machine.working() || multifd.mainWaits();
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

    void preempt(ByteBuffer in, long now) {
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
            case PageRecord record
            when machine.pages() == PageRule.STORE -> pages.store(record, in, following(record, in));
            case PageRecord record -> page(record, in, Channel.MAIN, now);
            case EncodedPage record -> {
                if (machine.pages() == PageRule.STORE) {
                    pages.store(record);
                } else {
                    outOfPlace(Channel.MAIN, now);
                }
            }
            case StreamMessage.Packaged blob -> packaged(blob, now);
            // Of a block that the source has, which the decoder has seen to; adopt has seen to it that we have the
            // same.
            case StreamMessage.RecvBitmap(String name) ->
                step(new DestinationInput.BitmapAsked(pages.blocks().indexOf(name)), now);
            case StreamMessage.EndOfStream _ -> {
                if (multifd.mixed()) {
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
            case StreamMessage.RamDiscard discard -> discard(discard, now);
            case StreamMessage.DeviceState(byte[] verbatim) -> {
                boolean beforeMemory = machine.state() instanceof DestinationState.Active active && !active.memory();
                devices.add(verbatim, beforeMemory);
                step(new DestinationInput.Received(message), now);
            }
            case StreamMessage.EndOfRecords _, StreamMessage.MultifdFlush _ -> {
                step(new DestinationInput.Received(message), now);
                multifd.main(message, now);
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

    private void discard(StreamMessage.RamDiscard discard, long now) {
        int connection = channels.main();
        step(new DestinationInput.Received(discard), now);
        if (connection == channels.main()) {
            pages.discard(discard);
            machine.progressed(now);
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
        if (wrong == null) {
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

    private int following(PageRecord record, ByteBuffer in) {
        StreamDecoder decoder = channels.stream();
        return record.zero() || decoder == null ? 0 : decoder.following(in);
    }

    private void page(PageRecord record, ByteBuffer in, Channel channel, long now) {
        switch (machine.pages()) {
            case STORE -> pages.store(record, in, 0);
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

    private void packaged(StreamMessage.Packaged blob, long now) {
        if (multifd.mixed()) {
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
        if (machine.awaitsPackaged()) {
            // Before the step, which loads them. What is not awaited is refused there, and whoever sent it may come
            // again with more.
            devices.add(parsed.devices(), false);
        }
        step(new DestinationInput.Packaged(parsed.pings()), now);
    }

    private void unless(@Nullable String wrong, StreamMessage message, long now) {
        step(
                wrong == null
                        ? new DestinationInput.Received(message)
                        : new DestinationInput.Broken(Channel.MAIN, wrong),
                now);
    }
}
