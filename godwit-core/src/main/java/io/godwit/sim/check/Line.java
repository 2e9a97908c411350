// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

/** One connection from the source to the destination, with what is under way on it. */
final class Line {
    /** The source's end. */
    enum Near {
        CONNECTING,
        OPEN,
        CLOSED
    }

    /** The destination's end. */
    enum Far {
        /** Not accepted yet. */
        PENDING,
        /** Accepted; who it is will show. */
        CANDIDATE,
        MAIN,
        PREEMPT,
        GONE
    }

    static final Near[] NEAR = Near.values();
    static final Far[] FAR = Far.values();

    final boolean preempt;
    /** The order in which it was accepted, from 1 on; 0 if it was not. */
    int order;

    Near near = Near.CONNECTING;
    Far far = Far.PENDING;
    short[] there = Message.NONE;
    short[] back = Message.NONE;
    /** Nothing more comes there, or back, once the queue is empty. */
    boolean endThere;

    boolean endBack;
    /** What is sent there, or back, from now on is lost, and nobody is told. */
    boolean silentThere;

    boolean silentBack;
    /** A keep-alive has been sent on it. */
    boolean pinged;

    Line(boolean preempt) {
        this.preempt = preempt;
    }

    Line copy() {
        Line copy = new Line(preempt);
        copy.order = order;
        copy.near = near;
        copy.far = far;
        copy.there = there;
        copy.back = back;
        copy.endThere = endThere;
        copy.endBack = endBack;
        copy.silentThere = silentThere;
        copy.silentBack = silentBack;
        copy.pinged = pinged;
        return copy;
    }

    boolean silent() {
        return silentThere || silentBack;
    }

    void sendThere(short code) {
        if (!silentThere && !endThere && far != Far.GONE) {
            there = Message.append(there, code);
        }
    }

    void sendBack(short code) {
        if (!silentBack && !endBack && near != Near.CLOSED) {
            back = Message.append(back, code);
        }
    }

    /** The source lets go of it; what it has sent still arrives. */
    void closeNear() {
        near = Near.CLOSED;
        back = Message.NONE;
        endThere = endThere || !silentThere;
    }

    /** The destination lets go of it; what it has sent still arrives. */
    void closeFar() {
        far = Far.GONE;
        there = Message.NONE;
        endBack = endBack || !silentBack;
    }

    /** The network, or nobody listening, ends it for both. */
    void cut(boolean lost) {
        endThere = true;
        endBack = true;
        silentThere = false;
        silentBack = false;
        if (lost) {
            there = Message.NONE;
            back = Message.NONE;
        }
        if (far == Far.PENDING && there.length == 0) {
            far = Far.GONE;
        }
    }

    /** Whether nothing can come of it any more. */
    boolean over() {
        boolean unread = there.length > 0;
        return near == Near.CLOSED
                && switch (far) {
                    case GONE -> true;
                    case PENDING -> !unread || silentThere;
                    case CANDIDATE -> !unread && endThere;
                    case MAIN, PREEMPT -> false;
                };
    }

    /** Whether something sent at the source may still be read at the destination. */
    boolean mayDeliver() {
        return far != Far.GONE && (there.length > 0 || (near != Near.CLOSED && !endThere));
    }

    @Override
    public String toString() {
        return preempt ? "preempt channel" : "main channel";
    }
}
