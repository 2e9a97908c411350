// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** What a helper thread has for a reactor, while its owner polls and closes it. Result 1: how often it was told; 2: how often dropped. */
public final class PostedNewsStress {
    private PostedNewsStress() {}

    /** A reactor's queue and one piece of news. */
    public abstract static class Base implements Posted {
        final PostedNews news = new PostedNews();
        private final AtomicInteger told = new AtomicInteger();
        private final AtomicInteger dropped = new AtomicInteger();

        @Override
        public void deliver(Handler handler) {
            told.incrementAndGet();
        }

        @Override
        public void drop() {
            dropped.incrementAndGet();
        }

        final void count(II_Result result) {
            result.r1 = told.get();
            result.r2 = dropped.get();
        }
    }

    /** The reactor closes without another look: what a connection's thread has to tell is dropped, so that its socket is closed, and once. */
    @JCStressTest
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "dropped")
    @Outcome(expect = FORBIDDEN, desc = "lost (0, 0), dropped twice, or told by a reactor that is closed")
    @State
    public static class PostAgainstClose extends Base {
        @Actor
        public void helper() {
            news.post(this);
        }

        @Actor
        public void owner() {
            news.close();
        }

        @Arbiter
        public void afterwards(II_Result result) {
            count(result);
        }
    }

    /** It looks once more before it closes. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "told or dropped")
    @Outcome(expect = FORBIDDEN, desc = "lost (0, 0), or told and dropped")
    @State
    public static class PostAgainstDeliverAndClose extends Base {
        @Actor
        public void helper() {
            news.post(this);
        }

        @Actor
        public void owner() {
            news.deliver(Told.HANDLER);
            news.close();
        }

        @Arbiter
        public void afterwards(II_Result result) {
            count(result);
        }
    }
}
