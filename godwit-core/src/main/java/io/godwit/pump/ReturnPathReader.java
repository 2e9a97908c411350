// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.protocol.Channel;
import io.godwit.protocol.PageScheduler;
import io.godwit.protocol.SourceInput;
import io.godwit.wire.ReturnPathDecoder;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.WireException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What a destination says on the return path: each whole message becomes a step of the source's machine. Its page requests go to the scheduler; its received bitmaps are looked at
 * for claims that cannot be true, and kept until a recovery resumes by them. Used by the migration's loop only.
 */
final class ReturnPathReader {
    /** Takes a step at once: what the machine wants done is done when it returns. */
    @FunctionalInterface
    interface Steps {
        void step(SourceInput input, long now);
    }

    private final BlockTable blocks;
    private final PageScheduler scheduler;
    private final SourceChannels channels;
    private final SourceStats stats;
    private final Steps steps;
    private final PageBitmap[] bitmaps;
    private @Nullable ReturnPathDecoder decoder;
    private int lastRequestedBlock = -1;

    ReturnPathReader(
            BlockTable blocks, PageScheduler scheduler, SourceChannels channels, SourceStats stats, Steps steps) {
        this.blocks = blocks;
        this.scheduler = scheduler;
        this.channels = channels;
        this.stats = stats;
        this.steps = steps;
        this.bitmaps = new PageBitmap[blocks.size()];
    }

    /** A main channel is there, and nothing was read of it. */
    void begin() {
        decoder = new ReturnPathDecoder(blocks);
        lastRequestedBlock = -1;
    }

    /** What still comes is not listened to. */
    void end() {
        decoder = null;
    }

    /** What the destination has received, by block: complete once the machine has heard of every block. */
    PageBitmap[] bitmaps() {
        return bitmaps;
    }

    /** All bytes that make whole messages are consumed; all bytes if the connection is not, or no longer, the main channel. */
    void read(int connection, ByteBuffer in, long now) {
        try {
            while (channels.isMain(connection) && decoder != null) {
                ReturnPathMessage message = decoder.next(in);
                if (message == null) {
                    return;
                }
                message(message, now);
            }
        } catch (WireException e) {
            steps.step(new SourceInput.Broken(Channel.MAIN, String.valueOf(e.getMessage())), now);
        }
        in.position(in.limit());
    }

    private void message(ReturnPathMessage message, long now) {
        switch (message) {
            case ReturnPathMessage.ReqPagesId(String name, long offset, int length) -> {
                lastRequestedBlock = blocks.indexOf(name);
                request(offset, length, message, now);
            }
            case ReturnPathMessage.ReqPages(long offset, int length) -> request(offset, length, message, now);
            case ReturnPathMessage.RecvBitmap(int block, PageBitmap bitmap) -> {
                long claim = scheduler.firstFalseClaim(block, bitmap);
                if (claim >= 0) {
                    steps.step(
                            new SourceInput.Broken(
                                    Channel.MAIN,
                                    "that endpoint claims to have page " + claim + " of block '"
                                            + blocks.get(block).name()
                                            + "', which was never sent: it is not the destination of this migration; check the address"),
                            now);
                } else {
                    bitmaps[block] = bitmap;
                    steps.step(new SourceInput.Received(message), now);
                }
            }
            case ReturnPathMessage.Pong _,
                    ReturnPathMessage.Shut _,
                    ReturnPathMessage.ResumeAck _,
                    ReturnPathMessage.SwitchoverAck _ -> steps.step(new SourceInput.Received(message), now);
        }
    }

    /** The decoder lets through whole pages inside a block that was named, and nothing else. */
    private void request(long offset, int length, ReturnPathMessage message, long now) {
        int connection = channels.main();
        steps.step(new SourceInput.Received(message), now);
        if (!channels.isMain(connection)) {
            return;
        }
        stats.requests++;
        long first = offset >>> Pages.SHIFT;
        long end = first + (Integer.toUnsignedLong(length) >>> Pages.SHIFT);
        for (long page = first; page < end; page++) {
            scheduler.request(lastRequestedBlock, page);
        }
    }
}
