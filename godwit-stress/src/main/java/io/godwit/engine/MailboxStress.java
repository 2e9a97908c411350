// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.stress.Until;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** What reaches the loop from other threads, while it takes or ends. */
public final class MailboxStress {
    private static final int RUN = 1;
    private static final int REFUSED = 2;
    private static final int RUN_AFTER_THE_END = 3;

    private MailboxStress() {}

    /** An operator asks while the loop ends: there is an answer in any case, and nothing runs once the mailbox is closed. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "taken before the end")
    @Outcome(id = "2, 0", expect = ACCEPTABLE, desc = "refused")
    @Outcome(expect = FORBIDDEN, desc = "no answer (., 1), or run after the end (3, .)")
    @State
    public static class CallAgainstClose {
        private final Mailbox mailbox = new Mailbox(() -> {});
        private volatile boolean ended;
        private volatile boolean answered;

        @Actor
        public void operator(II_Result result) {
            try {
                result.r1 = mailbox.call(() -> ended ? RUN_AFTER_THE_END : RUN);
            } catch (CommandRefused refused) {
                result.r1 = REFUSED;
            }
            answered = true;
        }

        @Actor
        public void loop(II_Result result) {
            mailbox.drain();
            mailbox.close();
            ended = true;
            mailbox.drain();
            if (!Until.holds(() -> answered)) {
                result.r2 = 1;
                mailbox.drain();
            }
        }
    }

    /** The end of a guest's stop is heard once, by this look or by the next. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "heard at once")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "heard next time")
    @Outcome(expect = FORBIDDEN, desc = "lost, or heard twice")
    @State
    public static class StopAgainstTake {
        private final Mailbox mailbox = new Mailbox(() -> {});

        @Actor
        public void guest() {
            mailbox.guestStopped();
        }

        @Actor
        public void loop(II_Result result) {
            result.r1 = mailbox.takeGuestStopped() ? 1 : 0;
        }

        @Arbiter
        public void afterwards(II_Result result) {
            result.r2 = mailbox.takeGuestStopped() ? 1 : 0;
        }
    }

    /** An answer to the loop's question runs once; but not if the mailbox is closed. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "run")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "too late for a loop that has ended")
    @Outcome(expect = FORBIDDEN, desc = "run twice, or after the end")
    @State
    public static class AnswerAgainstClose {
        private final Mailbox mailbox = new Mailbox(() -> {});
        private volatile boolean ended;
        private int run; // of the loop
        private int late; // of the loop

        @Actor
        public void disk() {
            mailbox.answer(() -> {
                if (ended) {
                    late++;
                } else {
                    run++;
                }
            });
        }

        @Actor
        public void loop() {
            mailbox.drain();
            mailbox.close();
            ended = true;
            mailbox.drain();
        }

        @Arbiter
        public void afterwards(II_Result result) {
            mailbox.drain();
            result.r1 = run;
            result.r2 = late;
        }
    }
}
