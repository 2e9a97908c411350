// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.net.Loop.Told;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The one wait of a loop. */
@Timeout(30)
class ReactorIT {
    private static final long MILLI = 1_000_000L;
    private static final long FOR_EVER = -1;

    @AutoClose
    private final Loop loop = new Loop();

    @Test
    void aWaitEndsAtItsDeadlineNeverBefore() {
        for (long nanos : new long[] {1, 300_000, MILLI, 1_200_000, 20 * MILLI}) {
            long start = System.nanoTime();
            assertThat(loop.poll(nanos)).isZero();
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(nanos);
        }
    }

    @Test
    void aLookDoesNotWait() {
        long start = System.nanoTime();
        for (int i = 0; i < 100; i++) {
            loop.poll(0);
        }
        assertThat(System.nanoTime() - start).isLessThan(1000 * MILLI);
    }

    @Test
    void aWakeUpBeforeTheWaitEndsTheWait() {
        loop.reactor.wakeup();
        loop.poll(FOR_EVER);
    }

    @Test
    void noWakeUpOfAnyThreadIsLost() throws InterruptedException {
        int threads = 4;
        int each = 5000;
        AtomicInteger mailbox = new AtomicInteger();
        Semaphore handled = new Semaphore(0);
        List<Thread> posters = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            posters.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < each; i++) {
                    mailbox.incrementAndGet();
                    loop.reactor.wakeup();
                    handled.acquireUninterruptibly(); // so the next one finds the loop on its way to sleep
                }
            }));
        }
        for (int sum = 0; sum < threads * each; ) {
            loop.poll(FOR_EVER); // a lost one leaves all of us here
            int mail = mailbox.getAndSet(0);
            handled.release(mail);
            sum += mail;
        }
        for (Thread poster : posters) {
            poster.join();
        }
    }

    @Test
    void anAbortOfAnyThreadEndsTheWait() throws IOException {
        Connection near = loop.pair(loop.listen("tcp:127.0.0.1:0"))[0];
        assertThat(loop.poll(0)).isZero();
        Thread.ofPlatform().start(() -> {
            LockSupport.parkNanos(30 * MILLI); // the loop sleeps by then, or the test proves less
            near.reset("by another thread"); // a reset says nothing to the peer until the owner is awake
        });
        loop.poll(FOR_EVER);
        assertThat(loop.told).containsExactly(new Told.Broken(near, "by another thread"));
    }

    @Test
    void whatWasToldIsNotToldAgain() throws IOException {
        Connection[] pair = loop.pair(loop.listen("tcp:127.0.0.1:0"));
        loop.say(pair[0], "hello");
        loop.hear(pair[1], "hello");
        assertThat(loop.poll(0)).isZero();
        assertThat(loop.poll(0)).isZero();
    }

    @Test
    void aListenerThatIsClosedTakesNoWakeUpWithIt() throws IOException {
        Listener listener = loop.listen("tcp:127.0.0.1:0");
        loop.reactor.wakeup();
        listener.close();
        loop.poll(FOR_EVER);
    }

    @Test
    void anInterruptCountsAsOneWakeUp() {
        Thread.currentThread().interrupt();
        loop.poll(FOR_EVER);
        long start = System.nanoTime();
        loop.poll(20 * MILLI);
        assertThat(System.nanoTime() - start).as("the next wait").isGreaterThanOrEqualTo(20 * MILLI);
    }

    @Test
    void aHandlerThatFailsTakesNothingFromTheOthers() throws IOException {
        Listener listener = loop.listen("tcp:127.0.0.1:0");
        Connection[] first = loop.pair(listener);
        Connection[] second = loop.pair(listener);
        loop.say(first[0], "one");
        loop.say(second[0], "two");
        loop.failNext = true;
        assertThatThrownBy(() -> loop.until("it fails", () -> false)).hasMessage("as the test wants it");

        loop.hear(first[1], "one");
        loop.hear(second[1], "two");
    }

    @Test
    void aClosedReactorClosesAllAndIsDone() throws IOException {
        Listener listener = loop.listen("tcp:127.0.0.1:0");
        Connection[] pair = loop.pair(listener);
        try (Peer outside = Peer.connect(listener.address())) {
            loop.await(Told.Accepted.class);
            loop.reactor.close();
            assertThat(outside.hearOut()).isZero();
        }
        assertThat(pair[0].isOpen() || pair[1].isOpen() || listener.isOpen()).isFalse();
        pair[0].abort("too late");
        loop.reactor.wakeup();
        loop.reactor.close();
        assertThatThrownBy(() -> loop.poll(0)).isInstanceOf(IllegalStateException.class);
    }
}
