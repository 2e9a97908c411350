// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.page.Pages;
import io.godwit.protocol.DestinationState.Active;
import io.godwit.protocol.DestinationState.Completed;
import io.godwit.protocol.DestinationState.Failed;
import io.godwit.protocol.DestinationState.Finishing;
import io.godwit.protocol.DestinationState.Held;
import io.godwit.protocol.DestinationState.Idle;
import io.godwit.protocol.DestinationState.Listening;
import io.godwit.protocol.DestinationState.Loading;
import io.godwit.protocol.DestinationState.Mending;
import io.godwit.protocol.DestinationState.Paused;
import io.godwit.protocol.DestinationState.PostcopyActive;
import io.godwit.protocol.DestinationState.Recover;
import io.godwit.wire.EncodedPage;
import io.godwit.wire.PageRecord;
import io.godwit.wire.StreamMessage;
import org.jspecify.annotations.Nullable;

/** Which message may come in which state of a destination ({@code spec/sequences.md §2, §3, §6}). */
final class DestinationOrder {
    private DestinationOrder() {}

    /**
     * A sentence that says what is out of order, or null if the message may come now.
     *
     * @param blocks RAM blocks that the source has; 0 as long as that is not known
     */
    static @Nullable String check(StreamMessage message, DestinationState state, MigrationOptions options, int blocks) {
        if (message instanceof StreamMessage.PostcopyAdvise(long pageSizes, long targetPageSize)
                && (pageSizes != Pages.SIZE || targetPageSize != Pages.SIZE)) {
            return "the source's RAM is on pages of other sizes than " + Pages.SIZE + " bytes (all sizes together: 0x"
                    + Long.toHexString(pageSizes) + ", the guest's own: 0x" + Long.toHexString(targetPageSize)
                    + "): huge pages are not handled; start its QEMU without them, or migrate without postcopy-ram";
        }
        boolean legal = switch (state) {
            case Active active -> whileActive(message, active, options);
            case PostcopyActive(boolean ended) -> !ended && isSection(message);
            case Recover recover ->
                message instanceof StreamMessage.PostcopyResume
                        && recover.asked().cardinality() == blocks;
            case Completed completed ->
                completed.answering()
                        && (isSection(message)
                                || (message instanceof StreamMessage.PostcopyResume
                                        && completed.asked().cardinality() == blocks));
            case Idle _, Listening _, Loading _, Finishing _, Mending _, Paused _, Held _, Failed _ -> false;
        };
        return legal
                ? null
                : "the source sent " + name(message) + " in " + state.status() + ", where it may not stand"
                        + why(message, state, options, blocks);
    }

    private static String why(StreamMessage message, DestinationState state, MigrationOptions options, int blocks) {
        if (message instanceof StreamMessage.PostcopyAdvise && !options.postcopy()) {
            return ": capability postcopy-ram is on at the source and off here; set it alike at both ends";
        }
        if (message instanceof StreamMessage.PostcopyResume && state instanceof Recover recover) {
            return ": only " + recover.asked().cardinality() + " of " + blocks
                    + " received bitmaps were asked for before";
        }
        return "";
    }

    private static boolean whileActive(StreamMessage message, Active active, MigrationOptions options) {
        return switch (message) {
            case StreamMessage.Header _, StreamMessage.Configuration _ -> !active.memory();
            case StreamMessage.OpenReturnPath _ -> true;
            case StreamMessage.PostcopyAdvise _ -> options.postcopy() && !active.advised() && !active.memory();
            case StreamMessage.SectionStart _, StreamMessage.MemSize _ -> !active.memory();
            case StreamMessage.RamDiscard _ -> active.advised() && active.memory();
            case StreamMessage.SwitchoverStart _, StreamMessage.DeviceState _ -> true;
            case StreamMessage.SectionPart _,
                    StreamMessage.SectionEnd _,
                    StreamMessage.EndOfRecords _,
                    StreamMessage.Footer _ -> true;
            case StreamMessage.MultifdFlush _ -> active.memory() && options.multifd() != null;
            case StreamMessage.VmDescription _,
                    StreamMessage.PostcopyAdviseNoRam _,
                    StreamMessage.PostcopyListen _,
                    StreamMessage.PostcopyRun _,
                    StreamMessage.EnableColo _,
                    StreamMessage.PostcopyResume _ -> false;
            // Inputs of their own, or judged before and by the page rule; never so.
            case StreamMessage.Ping _,
                    StreamMessage.Packaged _,
                    StreamMessage.EndOfStream _,
                    StreamMessage.RecvBitmap _,
                    PageRecord _,
                    EncodedPage _ -> false;
        };
    }

    private static boolean isSection(StreamMessage message) {
        return message instanceof StreamMessage.SectionPart
                || message instanceof StreamMessage.SectionEnd
                || message instanceof StreamMessage.EndOfRecords
                || message instanceof StreamMessage.Footer;
    }

    private static String name(StreamMessage message) {
        return message.getClass().getSimpleName();
    }
}
