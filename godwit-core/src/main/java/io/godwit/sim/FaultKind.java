// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

/** What can go wrong in a simulated world; counted when it happens, not when it is planned. */
public enum FaultKind {
    /** Nobody listens where a connection goes to. */
    REFUSED("connection refused"),
    /** It is connected, and nobody ever accepts it: a proxy that is half dead. */
    UNACCEPTED("connection never accepted"),
    /** A connection is cut after a certain byte. */
    CUT("cut after a byte"),
    /** Nothing more arrives after a certain byte, one way, and nobody is told. */
    SILENCE("silence after a byte"),
    /** What follows a certain byte comes late. */
    STALL("stall after a byte"),
    /** All connections are cut. */
    ALL_CUT("all connections cut"),
    /** All connections fall silent, one way or both. */
    ALL_SILENT("all connections silent"),
    /** Somebody else connects. */
    STRANGER("stranger connects"),
    /** A disk that keeps a memory fails. */
    DISK("disk fails"),
    /** A process that has a store is killed. */
    KILLED("process killed"),
    /** A machine whose disk has a store loses power. */
    POWER("machine loses power"),
    /** A store's disk is full for a while. */
    FULL("store's disk full"),
    /** A store's disk does not answer for a while. */
    AWAY("store's disk out of reach"),
    /** A store's sync fails. */
    SYNC("store's sync fails"),
    /** migrate-pause, migrate_cancel or yank, carried out. */
    OPERATOR("operator pauses, cancels, yanks");

    private final String words;

    FaultKind(String words) {
        this.words = words;
    }

    /** For people. */
    public String words() {
        return words;
    }
}
