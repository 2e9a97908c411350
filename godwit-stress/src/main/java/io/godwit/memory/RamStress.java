// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.stress.Until;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** Guest memory between the guest's threads and the loop that fills or sends it. */
public final class RamStress {
    private static final ByteBuffer FORTY_TWO = OnePage.full(42);
    private static final ByteBuffer ONE = OnePage.full(1);
    private static final ByteBuffer TWO = OnePage.full(2);
    private static final long LAST_WORD = Pages.SIZE - Long.BYTES;

    private RamStress() {}

    /** The guest touches a page while it is placed: it reads the whole page, and its wait ends. */
    @JCStressTest
    @Outcome(id = "42, 0", expect = ACCEPTABLE, desc = "the page")
    @Outcome(expect = FORBIDDEN, desc = "a part of the page, or a wait without end (., 1)")
    @State
    public static class ReadAgainstPlace {
        private final OnePage memory = new OnePage();
        private volatile boolean over;

        public ReadAgainstPlace() {
            memory.sink.beginPostcopy();
        }

        @Actor
        public void guest(JJ_Result result) {
            try {
                result.r1 = memory.block.getLong(LAST_WORD);
            } catch (GuestStopRequested stopped) {
                result.r1 = -1;
            }
            over = true;
        }

        @Actor
        public void loop(JJ_Result result) {
            memory.sink.place(0, 0, FORTY_TWO.duplicate(), 0);
            if (!Until.holds(() -> over)) {
                result.r2 = 1;
                memory.waiters.stop();
            }
        }

        @Arbiter
        public void afterwards() {
            memory.release();
        }
    }

    /** A page that comes twice at the same time is placed once. */
    @JCStressTest
    @Outcome(
            id = {"1, 0, 1", "0, 1, 2"},
            expect = ACCEPTABLE,
            desc = "the first one's bytes")
    @Outcome(expect = FORBIDDEN, desc = "placed twice or never, or the bytes of the other")
    @State
    public static class PlaceAgainstPlace {
        private final OnePage memory = new OnePage();

        public PlaceAgainstPlace() {
            memory.sink.beginPostcopy();
        }

        @Actor
        public void main(III_Result result) {
            result.r1 = memory.sink.place(0, 0, ONE.duplicate(), 0) ? 1 : 0;
        }

        @Actor
        public void preempt(III_Result result) {
            result.r2 = memory.sink.place(0, 0, TWO.duplicate(), 0) ? 1 : 0;
        }

        @Arbiter
        public void afterwards(III_Result result) {
            result.r3 = (int) memory.block.getLong(LAST_WORD);
            memory.release();
        }
    }

    /** The guest has written once, and writes again while the loop takes the marks and reads the page: what it did not read has left a mark. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "the old bytes, and a mark for the next time")
    @Outcome(id = "42, 1", expect = ACCEPTABLE, desc = "the new bytes, and once more the next time")
    @Outcome(id = "42, 0", expect = ACCEPTABLE, desc = "the new bytes")
    @Outcome(expect = FORBIDDEN, desc = "a write that is never sent")
    @State
    public static class WriteAgainstHarvest {
        private final OnePage memory = new OnePage();
        private final ByteBuffer read = ByteBuffer.allocate(Pages.SIZE).order(ByteOrder.LITTLE_ENDIAN);

        public WriteAgainstHarvest() {
            memory.block.putLong(0, 1);
        }

        @Actor
        public void guest() {
            memory.block.putLong(0, 42);
        }

        @Actor
        public void loop(JJ_Result result) {
            memory.source.harvestDirty(0, new PageBitmap(1));
            memory.source.read(0, 0, read);
            result.r1 = read.getLong(0);
        }

        @Arbiter
        public void afterwards(JJ_Result result) {
            result.r2 = memory.source.harvestDirty(0, new PageBitmap(1));
            memory.release();
        }
    }
}
