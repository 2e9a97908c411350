// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The events that a client got since this was opened. Open it before the command whose events are waited for, so that none is missed.
 * At most {@link #CAPACITY} wait to be taken; the oldest give way, and {@link #lost} counts them. Every method may be called from any thread.
 */
public final class QmpEvents implements AutoCloseable {
    /** How many events wait. */
    public static final int CAPACITY = 4096;

    private final Consumer<QmpEvents> whenClosed;
    private final Deque<QmpMessage.Event> waiting = new ArrayDeque<>();
    private CompletableFuture<Void> changed = new CompletableFuture<>();
    private @Nullable QmpDisconnected end;
    private long lost;

    QmpEvents(Consumer<QmpEvents> whenClosed) {
        this.whenClosed = whenClosed;
    }

    /**
     * Takes events until one is as wanted, and gives that one.
     *
     * @throws QmpTimeout if none has come when {@code deadline} is over
     * @throws QmpDisconnected if the connection ends first, or this was closed
     */
    public QmpMessage.Event await(Predicate<QmpMessage.Event> wanted, java.time.Duration deadline) throws QmpException {
        long until = System.nanoTime() + deadline.toNanos();
        while (true) {
            CompletableFuture<Void> next;
            synchronized (this) {
                for (QmpMessage.Event event = waiting.poll(); event != null; event = waiting.poll()) {
                    if (wanted.test(event)) {
                        return event;
                    }
                }
                if (end != null) {
                    throw new QmpDisconnected(String.valueOf(end.getMessage()), end);
                }
                next = changed;
            }
            try {
                next.copy()
                        .orTimeout(until - System.nanoTime(), TimeUnit.NANOSECONDS)
                        .join();
            } catch (CompletionException e) {
                if (e.getCause() instanceof TimeoutException) {
                    throw new QmpTimeout("no such event came within " + deadline.toMillis() + " ms");
                }
                throw e;
            }
        }
    }

    /** The next event, of whatever kind. */
    public QmpMessage.Event next(java.time.Duration deadline) throws QmpException {
        return await(_ -> true, deadline);
    }

    /** How many events were thrown away because nobody took them. */
    public synchronized long lost() {
        return lost;
    }

    /** Ends every wait; later ones fail at once. */
    @Override
    public void close() {
        whenClosed.accept(this);
        end(new QmpDisconnected("these events were closed", null));
    }

    void add(QmpMessage.Event event) {
        CompletableFuture<Void> wake;
        synchronized (this) {
            if (waiting.size() == CAPACITY) {
                waiting.poll();
                lost++;
            }
            waiting.add(event);
            wake = renew();
        }
        wake.complete(null);
    }

    void end(QmpDisconnected reason) {
        CompletableFuture<Void> wake;
        synchronized (this) {
            if (end == null) {
                end = reason;
            }
            wake = renew();
        }
        wake.complete(null);
    }

    private CompletableFuture<Void> renew() {
        CompletableFuture<Void> old = changed;
        changed = new CompletableFuture<>();
        return old;
    }
}
