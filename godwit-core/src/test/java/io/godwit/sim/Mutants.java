// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import io.godwit.pump.Outbox;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import io.godwit.pump.SourceHost;
import java.nio.ByteBuffer;

/** Deliberate bugs, each put between the code and its world. */
final class Mutants {
    /** The bug of the experiment: a RECOVER that nothing and nobody ends, no broken channel, no deadline, no operator. */
    static final Seams DEAF_SOURCE_IN_RECOVER =
            Seams.NONE.withDeafSource((state, input) -> state instanceof SourceState.Recover
                    && (input instanceof SourceInput.Broken
                            || input instanceof SourceInput.Tick
                            || input instanceof SourceInput.Pause));

    /** The same at the destination. */
    static final Seams DEAF_DESTINATION_IN_RECOVER =
            Seams.NONE.withDeafDestination((state, input) -> state instanceof DestinationState.Recover
                    && (input instanceof DestinationInput.Broken || input instanceof DestinationInput.Tick));

    private Mutants() {}

    /** A sink that hands everything on. */
    static class Sink implements PageSink {
        final PageSink to;

        Sink(PageSink to) {
            this.to = to;
        }

        @Override
        public BlockTable blocks() {
            return to.blocks();
        }

        @Override
        public PageBitmap received(int block) {
            return to.received(block);
        }

        @Override
        public void store(int block, long page, ByteBuffer in, int position) {
            to.store(block, page, in, position);
        }

        @Override
        public void storeZero(int block, long page) {
            to.storeZero(block, page);
        }

        @Override
        public void read(int block, long page, ByteBuffer out) {
            to.read(block, page, out);
        }

        @Override
        public void discard(int block, long firstPage, long count) {
            to.discard(block, firstPage, count);
        }

        @Override
        public void beginPostcopy() {
            to.beginPostcopy();
        }

        @Override
        public boolean place(int block, long page, ByteBuffer in, int position) {
            return to.place(block, page, in, position);
        }

        @Override
        public boolean placeZero(int block, long page) {
            return to.placeZero(block, page);
        }

        @Override
        public void reset() {
            to.reset();
        }
    }

    /** A source's memory that hands everything on. */
    static class Source implements PageSource {
        final PageSource to;

        Source(PageSource to) {
            this.to = to;
        }

        @Override
        public BlockTable blocks() {
            return to.blocks();
        }

        @Override
        public void trackDirty(boolean on) {
            to.trackDirty(on);
        }

        @Override
        public long harvestDirty(int block, PageBitmap dirty) {
            return to.harvestDirty(block, dirty);
        }

        @Override
        public boolean isZero(int block, long page) {
            return to.isZero(block, page);
        }

        @Override
        public void read(int block, long page, ByteBuffer out) {
            to.read(block, page, out);
        }
    }

    /** A source's world that hands everything on. */
    static class Host implements SourceHost {
        final SourceHost to;

        Host(SourceHost to) {
            this.to = to;
        }

        @Override
        public int connect(Channel channel) {
            return to.connect(channel);
        }

        @Override
        public void abort(int connection, String reason) {
            to.abort(connection, reason);
        }

        @Override
        public void close(int connection, Outbox rest) {
            to.close(connection, rest);
        }

        @Override
        public void stopGuest() {
            to.stopGuest();
        }

        @Override
        public void resumeGuest() {
            to.resumeGuest();
        }

        @Override
        public byte[] deviceState() {
            return to.deviceState();
        }

        @Override
        public byte[] vmDescription() {
            return to.vmDescription();
        }

        @Override
        public void keepShallow(int connection) {
            to.keepShallow(connection);
        }

        @Override
        public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
            this.to.statusChanged(from, to, reason);
        }

        @Override
        public void passStarted(long pass) {
            to.passStarted(pass);
        }

        @Override
        public void notice(String text) {
            to.notice(text);
        }
    }
}
