// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import org.jspecify.annotations.Nullable;

/**
 * The end of a wait, counted from the last byte of progress. What is kept is the beginning and the kind, so that a changed parameter counts at once, for the wait
 * that is under way too. Times are nanoseconds of the caller's clock.
 */
final class Deadline {
    /** Which parameter says how long. */
    enum Kind {
        /** {@link Parameters#handshakeTimeoutMillis}. */
        HANDSHAKE,
        /** {@link Parameters#livenessTimeoutMillis}. */
        LIVENESS
    }

    private @Nullable Kind kind;
    private long since;

    /** A wait of that kind begins, or begins anew. */
    void expect(Kind what, long now) {
        kind = what;
        since = now;
    }

    /** If a wait is under way, it begins anew. */
    void progressed(long now) {
        since = now;
    }

    /** Nothing is waited for. */
    void none() {
        kind = null;
    }

    /** When it has passed, or {@link Long#MAX_VALUE}: nothing is waited for, or the parameter says for ever. */
    long at(Parameters parameters) {
        if (kind == null) {
            return Long.MAX_VALUE;
        }
        long millis = switch (kind) {
            case HANDSHAKE -> parameters.handshakeTimeoutMillis();
            case LIVENESS -> parameters.livenessTimeoutMillis();
        };
        return millis == 0 ? Long.MAX_VALUE : since + Liveness.millis(millis);
    }

    void become(Deadline other) {
        kind = other.kind;
        since = other.since;
    }

    /** For comparing two machines at the time {@code now}. */
    String relativeTo(long now) {
        return kind == null ? "-" : kind + "" + (since - now);
    }
}
