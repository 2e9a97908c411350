// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

/** What a {@link Relay} did or saw; each prints as a short sentence. Connections are numbered from 1. */
public sealed interface RelayEvent {

    /** It listens, from the start or again. */
    record Listening(Address address) implements RelayEvent {
        @Override
        public String toString() {
            return "listening on " + address;
        }
    }

    /** It has stopped to listen: connects are refused. */
    record Deaf(Address address) implements RelayEvent {
        @Override
        public String toString() {
            return "no longer listening on " + address;
        }
    }

    /** Somebody connected; {@code what} says what becomes of it. */
    record Accepted(long connection, String what) implements RelayEvent {
        @Override
        public String toString() {
            return "connection " + connection + ": accepted, " + what;
        }
    }

    /** The target is connected: bytes pass. */
    record Connected(long connection) implements RelayEvent {
        @Override
        public String toString() {
            return "connection " + connection + ": connected to the target";
        }
    }

    /** The target could not be connected to: who connected is dropped. */
    record TargetFailed(long connection, String reason) implements RelayEvent {
        @Override
        public String toString() {
            return "connection " + connection + ": " + reason;
        }
    }

    /** A connection is over; the bytes are those that arrived. */
    record Closed(long connection, String reason, long forwardBytes, long backBytes) implements RelayEvent {
        @Override
        public String toString() {
            return "connection " + connection + ": " + reason + " (" + forwardBytes + " bytes forward, " + backBytes
                    + " back)";
        }
    }

    /** The faults are others now. */
    record FaultSet(FaultPlan plan) implements RelayEvent {
        @Override
        public String toString() {
            return "fault: " + plan;
        }
    }

    /** All connections were cut; {@code why}: on command, or by cut-after. */
    record Cut(int connections, String why) implements RelayEvent {
        @Override
        public String toString() {
            return "cut " + connections + (connections == 1 ? " connection, " : " connections, ") + why;
        }
    }

    /** Something is wrong with the relay's own sockets. */
    record Trouble(String reason) implements RelayEvent {
        @Override
        public String toString() {
            return reason;
        }
    }
}
