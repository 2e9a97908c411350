// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import io.godwit.json.JsonString;
import io.godwit.qmp.QmpMessage;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Collects a {@link PeerHistory}, over all connections to one peer, and wakes who waits for news. Every method may be called from any thread. */
final class PeerLog {
    private static final int WORDS = 64;

    private final Deque<String> words = new ArrayDeque<>();
    private CompletableFuture<@Nullable Void> news = new CompletableFuture<>();
    private boolean ran;
    private boolean gaps;
    private @Nullable String goodbye;

    /** On the reader's thread. */
    void event(QmpMessage.Event event) {
        synchronized (this) {
            switch (event.name()) {
                case "RESUME" -> ran = true;
                case "SHUTDOWN" -> goodbye = word(event, "reason");
                default -> {}
            }
            if (words.size() == WORDS) {
                words.poll();
            }
            words.add(event.name().equals("MIGRATION") ? word(event, "status") : event.name());
        }
        wake();
    }

    private static String word(QmpMessage.Event event, String member) {
        return event.data().get(member) instanceof JsonString word ? word.value() : "?";
    }

    synchronized void seen(PeerState state) {
        ran |= state.running();
    }

    synchronized void gap() {
        gaps = true;
    }

    synchronized PeerHistory history() {
        return new PeerHistory(ran, gaps, goodbye, List.copyOf(words));
    }

    /** What to wait for: fetch it before looking at the state, so that no news falls between. */
    synchronized CompletableFuture<@Nullable Void> news() {
        return news;
    }

    /** Ends all waits, without news. */
    void wake() {
        CompletableFuture<@Nullable Void> old;
        synchronized (this) {
            old = news;
            news = new CompletableFuture<>();
        }
        old.complete(null);
    }

    /** Waits for the news, but not longer than so many nanoseconds. */
    static void await(CompletableFuture<@Nullable Void> news, long nanos) {
        try {
            news.copy().orTimeout(Math.max(0, nanos), TimeUnit.NANOSECONDS).join();
        } catch (CompletionException e) {
            if (!(e.getCause() instanceof TimeoutException)) {
                throw e;
            }
        }
    }
}
