// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** All processes of a run, also those that have done their part. One that ends before its time fails the run. Thread-safe. */
public final class Crew {
    private static final long DYING_MILLIS = 300;
    private static final Duration END = Duration.ofMillis(2_500);

    private final Board board;
    private final List<Child> children = new ArrayList<>();
    private final Set<Child> leaving = new HashSet<>();
    private boolean closed;

    public Crew(Board board) {
        this.board = board;
    }

    /** Starts a process. */
    public interface Start {
        Child start() throws IOException;
    }

    /** @throws IOException with a sentence, also when {@link #release} was called before */
    public synchronized Child add(Start start) throws IOException {
        if (closed) {
            throw new IOException("this run is being ended");
        }
        Child child = start.start();
        children.add(child);
        return child;
    }

    /** From now on it is needed, until {@link #retire}. */
    public void need(Child child) {
        var _ = child.exit().thenAccept(code -> {
            if (isNeeded(child)) {
                board.fail("the " + child.name() + "'s process ended with exit code " + code);
            }
        });
    }

    /** It may end now. */
    public synchronized void retire(Child child) {
        leaving.add(child);
    }

    private synchronized boolean isNeeded(Child child) {
        return !leaving.contains(child);
    }

    private synchronized List<Child> all() {
        return List.copyOf(children);
    }

    /** Which process has ended, or does so now, that is needed, as a sentence; null if there is none. */
    @Nullable
    public String dead() {
        for (Child child : all()) {
            int code = isNeeded(child)
                    ? child.exit()
                            .completeOnTimeout(-1, DYING_MILLIS, TimeUnit.MILLISECONDS)
                            .join()
                    : -1;
            if (code >= 0) {
                return child.obituary(code);
            }
        }
        return null;
    }

    /** What each said last. */
    public List<String> tails(int most) {
        List<String> lines = new ArrayList<>();
        for (Child child : all()) {
            lines.add("--- the " + child.name() + " (process " + child.pid() + ") said last:");
            lines.addAll(child.tail(most));
        }
        return lines;
    }

    /** Nobody is needed any more, and nobody is started: tells those that listen. */
    public synchronized void release() {
        closed = true;
        leaving.addAll(children);
        children.forEach(Child::release);
    }

    /** Waits for the end of all, and ends by force who does not. */
    public void awaitEnd() {
        all().forEach(child -> child.awaitEnd(END));
    }
}
