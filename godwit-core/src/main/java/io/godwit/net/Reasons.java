// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.util.Map;

/** What the system's words for a failed socket mean to an operator. */
public final class Reasons {
    /** EAGAIN: what a non-blocking connect to a unix socket gets when the listener's backlog is full. */
    private static final String QUEUE_FULL = "Resource temporarily unavailable";

    private static final Map<String, String> KNOWN = Map.ofEntries(
            Map.entry("Connection refused", "connection refused, nobody listens there"),
            Map.entry("No such file or directory", "there is no such socket"),
            Map.entry("Permission denied", "permission denied, the socket or its folder belongs to somebody else"),
            Map.entry("Network is unreachable", "the network is unreachable"),
            Map.entry("No route to host", "there is no route to this host"),
            Map.entry("Connection timed out", "no answer, the connection timed out"),
            Map.entry("Connection reset by peer", "the peer reset the connection"),
            Map.entry("Connection reset", "the peer reset the connection"),
            Map.entry("Broken pipe", "the peer has closed the connection"),
            Map.entry(QUEUE_FULL, "its queue of waiting connections is full, try again"),
            Map.entry("Too many open files", "too many open files, raise the limit (ulimit -n) or close something"),
            Map.entry("Protocol wrong type for socket", "this socket takes no stream connections"));

    private Reasons() {}

    /** The reason as a part of a sentence; the system's own words if they are not known here. */
    public static String of(IOException failed) {
        String words = failed.getMessage();
        if (words == null || words.isBlank()) {
            return failed.getClass().getSimpleName();
        }
        return KNOWN.getOrDefault(words, words);
    }

    static boolean isQueueFull(IOException failed) {
        return QUEUE_FULL.equals(failed.getMessage());
    }
}
