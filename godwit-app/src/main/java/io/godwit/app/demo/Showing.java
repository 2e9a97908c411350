// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Happening.Entry;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Shows a board's entries on a thread of its own, so that a terminal that is held (Ctrl-S) or a slow pipe holds up nothing that is measured. */
final class Showing {
    private static final long INTERVAL_MILLIS = 100;
    private static final long MOST_SECONDS = 10;

    private final Board board;
    private final View view;
    private final CompletableFuture<@Nullable Report> report = new CompletableFuture<>();
    private volatile boolean abandoned;
    private final CompletableFuture<Void> shown = new CompletableFuture<>();

    Showing(Board board, View view) {
        this.board = board;
        this.view = view;
        Thread.ofPlatform().daemon().name("godwit-show").start(this::run);
    }

    private void run() {
        try {
            int next = 0;
            while (true) {
                boolean last = report.isDone();
                List<Entry> entries = last ? board.entriesFrom(next) : board.awaitEntries(next, INTERVAL_MILLIS);
                next += entries.size();
                view.show(entries);
                if (last) {
                    break;
                }
            }
            Report what = report.join();
            if (what != null) {
                view.end(what);
            }
            shown.complete(null);
        } catch (RuntimeException e) {
            shown.completeExceptionally(e);
            throw e;
        }
    }

    /** Shows the rest and the report; waits until that is done, or for as long as somebody may want to read it. */
    void end(Report what) {
        report.complete(what);
        shown.copy().completeOnTimeout(null, MOST_SECONDS, TimeUnit.SECONDS).join();
    }

    /** Whether {@link #abandon} came first. */
    boolean isAbandoned() {
        return abandoned;
    }

    /** Shows the rest and no report, if {@link #end} was not called before. */
    void abandon() {
        abandoned |= !report.isDone();
        report.complete(null);
        shown.copy().completeOnTimeout(null, 1, TimeUnit.SECONDS).join();
    }
}
