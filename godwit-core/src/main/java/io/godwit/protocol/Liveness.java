// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

/**
 * Judges a path by PING and PONG, at the source. One PING is under way at a time; its deadline runs from the moment the kernel has its bytes,
 * and any message on the return path begins it anew. Before that it runs from the last time the kernel took any byte. So a long queue in front of a PING is no
 * silence, one that does not move is, and TCP that is blinded by a proxy is not trusted.
 * Times are nanoseconds of the caller's clock; -1 stands for "not set".
 */
final class Liveness {
    private long nextPing = -1;
    private long unansweredSince = -1;
    private long queuedSince = -1;
    private boolean underWay;

    /** The first PING is due at once: it names the migration, and a destination that has heard it knows that silence is no good sign. */
    void start(long now) {
        nextPing = now;
        unansweredSince = -1;
        queuedSince = -1;
        underWay = false;
    }

    void stop() {
        nextPing = -1;
        unansweredSince = -1;
        queuedSince = -1;
        underWay = false;
    }

    /** The PING's last byte went to the kernel. */
    void written(long now) {
        if (underWay && unansweredSince < 0) {
            unansweredSince = now;
            queuedSince = -1;
        }
    }

    /** The kernel took bytes. */
    void moved(long now) {
        if (queuedSince >= 0) {
            queuedSince = now;
        }
    }

    /** Something came from the peer. */
    void heard(boolean pong, long now, Parameters parameters) {
        if (pong && underWay) {
            underWay = false;
            unansweredSince = -1;
            queuedSince = -1;
            nextPing = now + millis(parameters.pingIntervalMillis());
        } else if (unansweredSince >= 0) {
            unansweredSince = now;
        }
    }

    /** Whether a PING is to be sent now; it is under way from then on. */
    boolean pingDue(long now, Parameters parameters) {
        if (nextPing < 0 || underWay || parameters.pingIntervalMillis() == 0 || now < nextPing) {
            return false;
        }
        underWay = true;
        queuedSince = now;
        return true;
    }

    /** Whether the path is to be taken as broken. */
    boolean silent(long now, Parameters parameters) {
        return deadline(parameters) >= 0 && now >= deadline(parameters);
    }

    /** When to look again, or {@link Long#MAX_VALUE}. */
    long nextTick(Parameters parameters) {
        long silent = deadline(parameters);
        long ping = nextPing < 0 || underWay || parameters.pingIntervalMillis() == 0 ? Long.MAX_VALUE : nextPing;
        return silent < 0 ? ping : Math.min(silent, ping);
    }

    private long deadline(Parameters parameters) {
        long since = unansweredSince >= 0 ? unansweredSince : queuedSince;
        return since < 0 || parameters.livenessTimeoutMillis() == 0
                ? -1
                : since + millis(parameters.livenessTimeoutMillis());
    }

    void become(Liveness other) {
        nextPing = other.nextPing;
        unansweredSince = other.unansweredSince;
        queuedSince = other.queuedSince;
        underWay = other.underWay;
    }

    /** Times relative to {@code now}, for comparing two machines. */
    String relativeTo(long now) {
        return (nextPing < 0 ? "-" : nextPing - now) + "/" + (unansweredSince < 0 ? "-" : unansweredSince - now) + "/"
                + (queuedSince < 0 ? "-" : queuedSince - now) + "/" + underWay;
    }

    static long millis(long millis) {
        return millis * 1_000_000;
    }
}
