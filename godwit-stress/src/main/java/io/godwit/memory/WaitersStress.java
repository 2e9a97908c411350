// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.stress.Until;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** A guest's thread waits for a page: no wake-up is lost. */
public final class WaitersStress {
    private static final long PAGES = 64;
    private static final BlockTable BLOCKS = new BlockTable(List.of(BlockInfo.of("ram", PAGES << 12)));
    private static final int STOPPED = -1;

    private WaitersStress() {}

    /** A guest's thread that waits for page 3, and what it reads then. */
    public abstract static class Base {
        final PageBitmap received = new PageBitmap(PAGES);
        final PageRequests requests = new PageRequests(BLOCKS, new PageBitmap[] {received});
        final Waiters waiters = new Waiters();
        int page;
        private volatile boolean over;

        final int read() {
            try {
                waiters.await(0, 3, received::get, requests);
                return page;
            } catch (GuestStopRequested stopped) {
                return STOPPED;
            } finally {
                over = true;
            }
        }

        final void place() {
            page = 42;
            received.set(3);
            waiters.published(0, 3);
            requests.arrived(0, 3);
        }

        final boolean ends() {
            return Until.holds(() -> over);
        }
    }

    /** The page comes while its wait begins. */
    @JCStressTest
    @Outcome(id = "42, 0", expect = ACCEPTABLE, desc = "the page")
    @Outcome(expect = FORBIDDEN, desc = "something else, or a wake-up that was lost (., 1)")
    @State
    public static class AwaitAgainstPublish extends Base {
        @Actor
        public void guest(II_Result result) {
            result.r1 = read();
        }

        @Actor
        public void placer(II_Result result) {
            place();
            if (!ends()) {
                result.r2 = 1;
                waiters.stop();
            }
        }
    }

    /** The guest is to stop while a wait begins, for a page that never comes. */
    @JCStressTest
    @Outcome(id = "-1, 0", expect = ACCEPTABLE, desc = "the wait has ended without the page")
    @Outcome(expect = FORBIDDEN, desc = "a wait that the stop does not end (., 1)")
    @State
    public static class AwaitAgainstStop extends Base {
        @Actor
        public void guest(II_Result result) {
            result.r1 = read();
        }

        @Actor
        public void loop(II_Result result) {
            waiters.stop();
            if (!ends()) {
                result.r2 = 1;
                place();
            }
        }
    }
}
