// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.godwit.stress.Until;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** The two queues of a QMP connection: every wait ends, nothing is lost before the end and nothing comes after it. */
public final class QueuesStress {
    private static final int LINE = 4;

    private QueuesStress() {}

    /** Ends a wait that has no end by whichever way still works. */
    private static void release(Outbox outbox) {
        outbox.finish();
        outbox.close();
    }

    /** Room is made while somebody begins to wait for it. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "both lines went through")
    @Outcome(expect = FORBIDDEN, desc = "a line is lost (0, .), or a wait for room has no end (., 1)")
    @State
    public static class OutboxPutAgainstTake {
        private final Outbox outbox = new Outbox(LINE);
        private volatile boolean over;

        public OutboxPutAgainstTake() {
            outbox.put(new byte[LINE]);
        }

        @Actor
        public void teller() {
            outbox.put(new byte[LINE]);
            over = true;
        }

        @Actor
        public void writer(II_Result result) {
            outbox.take();
            if (!Until.holds(() -> over)) {
                result.r2 = 1;
                release(outbox);
            }
        }

        @Arbiter
        public void afterwards(II_Result result) {
            outbox.finish();
            result.r1 = outbox.take() == null ? 0 : 1;
        }
    }

    /** The connection is given up while somebody waits for room. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "the wait has ended, nothing comes out")
    @Outcome(expect = FORBIDDEN, desc = "a line after the end (1, .), or a wait without one (., 1)")
    @State
    public static class OutboxPutAgainstClose {
        private final Outbox outbox = new Outbox(LINE);
        private volatile boolean over;

        public OutboxPutAgainstClose() {
            outbox.put(new byte[LINE]);
        }

        @Actor
        public void teller() {
            outbox.put(new byte[LINE]);
            over = true;
        }

        @Actor
        public void reader(II_Result result) {
            outbox.close();
            if (!Until.holds(() -> over)) {
                result.r2 = 1;
                release(outbox);
            }
        }

        @Arbiter
        public void afterwards(II_Result result) {
            result.r1 = outbox.take() == null ? 0 : 1;
        }
    }

    /** A last line and the end come while the writer begins to wait. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the line, then the end")
    @Outcome(expect = FORBIDDEN, desc = "a line that was accepted is lost, or a wait has no end")
    @State
    public static class OutboxTakeAgainstFinish {
        private final Outbox outbox = new Outbox(LINE);
        private volatile boolean over;

        @Actor
        public void writer(II_Result result) {
            while (outbox.take() != null) {
                result.r1++;
            }
            over = true;
        }

        @Actor
        public void teller(II_Result result) {
            outbox.offer(new byte[LINE]);
            outbox.finish();
            if (!Until.holds(() -> over)) {
                result.r2 = 1;
                release(outbox);
            }
        }
    }

    /** A command comes while its carrier-out begins to wait. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "the command")
    @Outcome(expect = FORBIDDEN, desc = "the command is lost (0, .), or a wait has no end (., 1)")
    @State
    public static class WorkTakeAgainstPut {
        private final WorkQueue<String> works = new WorkQueue<>(1);
        private volatile boolean taken;

        @Actor
        public void carrier(II_Result result) {
            result.r1 = works.take() == null ? 0 : 1;
            taken = true;
        }

        @Actor
        public void reader(II_Result result) {
            works.put("one");
            if (!Until.holds(() -> taken)) {
                result.r2 = 1;
                works.finish();
            }
        }
    }

    /** Room is made while the reader begins to wait for it. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "both commands went through")
    @Outcome(expect = FORBIDDEN, desc = "a command is lost (0, .), or a wait for room has no end (., 1)")
    @State
    public static class WorkPutAgainstTake {
        private final WorkQueue<String> works = new WorkQueue<>(1);
        private volatile boolean over;

        public WorkPutAgainstTake() {
            works.put("one");
        }

        @Actor
        public void reader() {
            works.put("two");
            over = true;
        }

        @Actor
        public void carrier(II_Result result) {
            works.take();
            if (!Until.holds(() -> over)) {
                result.r2 = 1;
                works.finish();
            }
        }

        @Arbiter
        public void afterwards(II_Result result) {
            works.finish();
            result.r1 = works.take() == null ? 0 : 1;
        }
    }

    /** A full queue ends while somebody waits for room: what was in it may still be taken, and nothing else. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "the wait has ended")
    @Outcome(expect = FORBIDDEN, desc = "a wait without end (10), or an item after the end")
    @State
    public static class WorkPutAgainstFinish {
        private final WorkQueue<String> works = new WorkQueue<>(1);
        private volatile boolean over;
        private volatile boolean stuck;

        public WorkPutAgainstFinish() {
            works.put("one");
        }

        @Actor
        public void reader() {
            works.put("two");
            over = true;
        }

        @Actor
        public void end() {
            works.finish();
            if (!Until.holds(() -> over)) {
                stuck = true;
                works.finish();
            }
        }

        @Arbiter
        public void afterwards(I_Result result) {
            works.take();
            result.r1 = (stuck ? 10 : 0) + (works.take() == null ? 0 : 1);
        }
    }
}
