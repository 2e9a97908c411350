// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** The set of missing pages, between guest threads that add, the loop that drains and whoever places. */
public final class PageRequestsStress {
    private static final long EARLIER = 1;
    private static final long PAGE = 2;
    private static final long PAGES = 64;
    private static final BlockTable BLOCKS = new BlockTable(List.of(BlockInfo.of("ram", PAGES << 12)));

    private PageRequestsStress() {}

    /** A set and what it is told. */
    public abstract static class Base {
        final PageBitmap received = new PageBitmap(PAGES);
        final PageRequests requests = new PageRequests(BLOCKS, new PageBitmap[] {received});
        final AtomicInteger wakes = new AtomicInteger();

        Base() {
            requests.wakeWith(wakes::incrementAndGet);
        }

        /** As {@link RamSink} does it. */
        final void arrives(long page) {
            received.set(page);
            VarHandle.fullFence();
            requests.arrived(0, page);
        }

        /** How often the page is reported. */
        final long drained(long page) {
            long[] times = new long[1];
            requests.drain((_, reported) -> times[0] += reported == page ? 1 : 0);
            return times[0];
        }
    }

    /** A page that comes while it is asked for is not outstanding for ever. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "counted out once")
    @Outcome(expect = FORBIDDEN, desc = "outstanding or reported although it is there, or counted out twice")
    @State
    public static class AddAgainstArrival extends Base {
        @Actor
        public void guest() {
            requests.add(0, PAGE);
        }

        @Actor
        public void placer() {
            arrives(PAGE);
        }

        @Arbiter
        public void afterwards(JJ_Result result) {
            result.r1 = requests.outstanding();
            result.r2 = drained(PAGE);
        }
    }

    /** What is added while the loop drains is reported now, or wakes the loop again and is reported then. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "reported once, and the loop knew")
    @Outcome(
            expect = FORBIDDEN,
            desc = "not reported (0, .), reported twice (2, .), or nobody woke the loop for it (., 0)")
    @State
    public static class AddAgainstDrain extends Base {
        private long now;

        public AddAgainstDrain() {
            requests.add(0, EARLIER);
        }

        @Actor
        public void guest() {
            requests.add(0, PAGE);
        }

        @Actor
        public void loop() {
            now = drained(PAGE);
        }

        @Arbiter
        public void afterwards(JJ_Result result) {
            result.r2 = now == 1 || wakes.get() == 2 ? 1 : 0;
            result.r1 = now + drained(PAGE);
        }
    }

    /** A page that two ask for is one entry. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "one entry, one report")
    @Outcome(expect = FORBIDDEN, desc = "counted or reported twice, or lost")
    @State
    public static class AddAgainstAdd extends Base {
        @Actor
        public void one() {
            requests.add(0, PAGE);
        }

        @Actor
        public void other() {
            requests.add(0, PAGE);
        }

        @Arbiter
        public void afterwards(JJ_Result result) {
            result.r1 = requests.outstanding();
            result.r2 = drained(PAGE);
        }
    }

    /** A page that comes while a recovery asks for everything again is not asked for once it is there. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "gone")
    @Outcome(expect = FORBIDDEN, desc = "outstanding or reported although it is there")
    @State
    public static class ReissueAgainstArrival extends Base {
        public ReissueAgainstArrival() {
            requests.add(0, PAGE);
            drained(PAGE);
        }

        @Actor
        public void loop() {
            requests.reissue();
        }

        @Actor
        public void placer() {
            arrives(PAGE);
        }

        @Arbiter
        public void afterwards(JJ_Result result) {
            result.r1 = requests.outstanding();
            result.r2 = drained(PAGE);
        }
    }
}
