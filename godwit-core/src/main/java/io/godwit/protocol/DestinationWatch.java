// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import org.jspecify.annotations.Nullable;

/**
 * A destination's patience: until when a handshake may take, since when the source was not heard, and when a source that hears nothing while the guest is at work is to be
 * given a sign. Times are nanoseconds of the machine's clock; -1 stands for "not set".
 */
final class DestinationWatch {
    private final Deadline deadline = new Deadline();
    private long heardAt = -1;
    private long signedAt = -1;

    void expect(Deadline.Kind kind, long now) {
        deadline.expect(kind, now);
    }

    void expectNothing() {
        deadline.none();
    }

    /** A connection has been taken up, or what had to wait on it may be read again. */
    void opened(long now) {
        heardAt = now;
    }

    /** Bytes came. */
    void heard(long now) {
        heardAt = now;
        deadline.progressed(now);
    }

    /** The guest begins a work, or a sign of life was given. */
    void signed(long now) {
        signedAt = now;
    }

    /**
     * @param named the source's keep-alive PINGs are known
     * @param owedSince since when a requested page is owed, or -1
     */
    long nextTick(DestinationState state, boolean named, long owedSince, Parameters parameters) {
        return Math.min(
                Math.min(deadline.at(parameters), silentAt(state, named, owedSince, parameters)),
                signAt(state, named, parameters));
    }

    /** Why the channel is to be taken as lost, or null. */
    @Nullable
    String verdict(DestinationState state, boolean named, long owedSince, long now, Parameters parameters) {
        if (now >= deadline.at(parameters)) {
            return "nothing came for too long in " + state.status();
        }
        if (now < silentAt(state, named, owedSince, parameters)) {
            return null;
        }
        return now >= silentAt(state, named, -1, parameters)
                ? "the source has sent nothing for " + parameters.livenessTimeoutMillis() + " ms: the path is silent"
                : "the source has left every page request unanswered for " + parameters.livenessTimeoutMillis() + " ms";
    }

    boolean signDue(DestinationState state, boolean named, long now, Parameters parameters) {
        return now >= signAt(state, named, parameters);
    }

    /** Its PINGs wait unread as long as the guest is at work: a Godwit source takes any word on the return path for life, QEMU has no such patience to lose. */
    private long signAt(DestinationState state, boolean named, Parameters parameters) {
        return named && state.keepsWaiting() && parameters.pingIntervalMillis() != 0
                ? signedAt + Liveness.millis(parameters.pingIntervalMillis())
                : Long.MAX_VALUE;
    }

    /** A source that PINGs is never silent, and one that owes a page sends it. */
    private long silentAt(DestinationState state, boolean named, long owedSince, Parameters parameters) {
        long since = state.watched(named, owedSince >= 0)
                ? Math.min(named ? heardAt : Long.MAX_VALUE, owedSince >= 0 ? owedSince : Long.MAX_VALUE)
                : Long.MAX_VALUE;
        return since == Long.MAX_VALUE || parameters.livenessTimeoutMillis() == 0
                ? Long.MAX_VALUE
                : since + Liveness.millis(parameters.livenessTimeoutMillis());
    }

    void become(DestinationWatch other) {
        deadline.become(other.deadline);
        heardAt = other.heardAt;
        signedAt = other.signedAt;
    }

    /** For comparing two machines at the time {@code now}. */
    String relativeTo(long now) {
        return deadline.relativeTo(now) + " " + (heardAt < 0 ? "-" : heardAt - now) + " "
                + (signedAt < 0 ? "-" : signedAt - now);
    }
}
