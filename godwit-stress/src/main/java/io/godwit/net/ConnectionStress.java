// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** A connection that one thread gives up while another, its owner, opens it, writes or closes. Result 1: shut down; 2: calls that the handler got; 3 says more. */
public final class ConnectionStress {
    private static final int WRITTEN = 100;

    private ConnectionStress() {}

    /** A connection over a channel without a system behind it; its reactor tells what there is to tell, as a poll would. */
    public abstract static class Base {
        private static final Reactor REACTOR = reactor();

        final FakeChannel channel = new FakeChannel();
        final Connection connection = new Connection(REACTOR, OtherEnd.at(MigrationAddress.parse("unix:/nowhere")));
        final Told told = new Told();

        Base() {
            connection.attach(told);
        }

        private static Reactor reactor() {
            try {
                return new Reactor();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        final void open() {
            connection.open(channel, new FakeChannel.Key(), null);
        }

        /** All actors are done, here and in every other try that shares the reactor. */
        final void tell(III_Result result) {
            // Before its owner hears of it, and closes it.
            result.r1 = channel.shut() ? 1 : 0;
            // Both threads look at results at the same time, each at its share: whoever comes first tells all.
            synchronized (REACTOR) {
                REACTOR.poll(0, Told.HANDLER);
            }
            result.r2 = told.calls;
        }
    }

    /** Given up by a thread that may see no channel yet: it is shut down all the same, and its owner hears of it once. */
    @JCStressTest
    @Outcome(id = "1, 1, 0", expect = ACCEPTABLE, desc = "shut down, told once")
    @Outcome(expect = FORBIDDEN, desc = "open for ever (0, .), or told never or twice")
    @State
    public static class AbortAgainstOpen extends Base {
        @Actor
        public void operator() {
            connection.abort("given up");
        }

        @Actor
        public void owner() {
            open();
        }

        @Arbiter
        public void afterwards(III_Result result) {
            tell(result);
        }
    }

    /** Two give it up: told once, with one of the reasons. */
    @JCStressTest
    @Outcome(
            id = {"1, 1, 1", "1, 1, 2"},
            expect = ACCEPTABLE,
            desc = "the first reason")
    @Outcome(expect = FORBIDDEN, desc = "told never or twice, or with another reason than isOpen knew")
    @State
    public static class AbortAgainstAbort extends Base {
        public AbortAgainstAbort() {
            open();
        }

        @Actor
        public void one() {
            connection.abort("1");
        }

        @Actor
        public void other() {
            connection.abort("2");
        }

        @Arbiter
        public void afterwards(III_Result result) {
            tell(result);
            result.r3 = Integer.parseInt(told.reason);
        }
    }

    /** Given up while its owner writes: what counts as written is what the channel took, and the reason is the operator's. */
    @JCStressTest
    @Outcome(
            id = {"1, 1, 0", "1, 1, 100"},
            expect = ACCEPTABLE,
            desc = "nothing or all was written, then the end")
    @Outcome(
            expect = FORBIDDEN,
            desc = "counted and not taken, or taken and not counted, or the broken write is the reason")
    @State
    public static class AbortAgainstWrite extends Base {
        private int counted;

        public AbortAgainstWrite() {
            open();
        }

        @Actor
        public void operator() {
            connection.abort("given up");
        }

        @Actor
        public void owner() {
            counted = connection.write(ByteBuffer.allocate(WRITTEN));
        }

        @Arbiter
        public void afterwards(III_Result result) {
            tell(result);
            boolean right = counted == channel.taken() && told.reason.equals("given up");
            result.r3 = right ? counted : -1;
        }
    }

    /** Given up while its owner closes it: shut down; nothing is told once it is closed, and the abort is no error. */
    @JCStressTest
    @Outcome(id = "1, 0, 0", expect = ACCEPTABLE, desc = "closed, and nothing told")
    @Outcome(expect = FORBIDDEN, desc = "left open, or told although the owner had closed it")
    @State
    public static class AbortAgainstClose extends Base {
        public AbortAgainstClose() {
            open();
        }

        @Actor
        public void operator() {
            connection.abort("given up");
        }

        @Actor
        public void owner() {
            connection.close();
        }

        @Arbiter
        public void afterwards(III_Result result) {
            tell(result);
        }
    }
}
