// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.EndpointControl.CommandRefused;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * How everything outside the loop reaches it: operators' requests in one bounded queue, and what may not be refused beside it: the end of a guest's stop as a flag,
 * answers to what the loop itself has asked for in a queue that its questions bound. Page requests have their own set ({@link io.godwit.memory.PageRequests}). Nobody who feeds the loop waits for room.
 */
final class Mailbox {
    private static final int MOST = 1024;

    /** What an operator wants of the loop. */
    interface Request<T> {
        T run() throws CommandRefused;
    }

    private final ArrayBlockingQueue<Runnable> requests = new ArrayBlockingQueue<>(MOST);
    private final ConcurrentLinkedQueue<Runnable> answers = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean guestStopped = new AtomicBoolean();
    private final Runnable wakeup;
    private volatile @Nullable Thread owner;
    private volatile boolean closed;

    Mailbox(Runnable wakeup) {
        this.wakeup = wakeup;
    }

    void ownedBy(Thread thread) {
        owner = thread;
    }

    /** Runs the request on the loop and returns what it returns. Any thread. */
    <T> T call(Request<T> request) throws CommandRefused {
        if (Thread.currentThread() == owner) {
            return request.run();
        }
        CompletableFuture<T> answer = new CompletableFuture<>();
        boolean taken = !closed
                && requests.offer(() -> {
                    if (closed) {
                        answer.completeExceptionally(new CommandRefused("the endpoint has ended"));
                        return;
                    }
                    try {
                        answer.complete(request.run());
                    } catch (CommandRefused | RuntimeException | Error e) {
                        // An Error, too: whoever asked waits for an answer without end.
                        answer.completeExceptionally(e);
                    }
                });
        if (!taken) {
            throw new CommandRefused(
                    closed ? "the endpoint has ended" : "the endpoint has " + MOST + " requests waiting: try again");
        }
        wakeup.run();
        if (closed) {
            drain();
        }
        return await(answer);
    }

    private static <T> T await(CompletableFuture<T> answer) throws CommandRefused {
        try {
            return answer.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof CommandRefused refused) {
                throw new CommandRefused(String.valueOf(refused.getMessage()), refused);
            }
            throw new IllegalStateException("the endpoint failed inside a request", e.getCause());
        } catch (InterruptedException e) {
            throw new CommandRefused(
                    "interrupted while the endpoint was asked; whether it took the request is not known", e);
        }
    }

    /** From a guest's thread: its stop has ended. */
    void guestStopped() {
        guestStopped.set(true);
        wakeup.run();
    }

    /** The answer to a question that the loop has asked: runs on the loop. Any thread. */
    void answer(Runnable answer) {
        answers.add(answer);
        wakeup.run();
    }

    /** Whether the guest's stop has ended since the last call. */
    boolean takeGuestStopped() {
        return guestStopped.getAndSet(false);
    }

    /** Runs what is waiting. */
    void drain() {
        Runnable request;
        while ((request = answers.poll()) != null) {
            if (!closed) {
                request.run();
            }
        }
        while ((request = requests.poll()) != null) {
            request.run();
        }
    }

    /** Nothing is taken any more. */
    void close() {
        closed = true;
    }
}
