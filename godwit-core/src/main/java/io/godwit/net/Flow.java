// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One direction of one relayed connection: a bounded ring between a socket that is read and one that is written. A full
 * ring stops the reading, so the sender feels the receiver as if nothing stood between.
 */
final class Flow {
    /** As much as the cache likes to hold; the ring is larger only for the sake of delays. */
    private static final int READ_BYTES = 256 << 10;

    /** So often in a row it reads and writes before other sockets and commands have their turn. */
    private static final int ROUNDS = 8;

    final Lane lane;
    private final Connection in;
    private @Nullable Connection out;
    private final Ring ring;
    private boolean ended;
    private boolean endPassed;
    private boolean holed;
    private boolean waitsForRoom;
    private long passed;

    /** @param out null: nobody will ever take the bytes */
    Flow(Lane lane, Connection in, @Nullable Connection out, Ring ring) {
        this.lane = lane;
        this.in = in;
        this.out = out;
        this.ring = ring;
    }

    Ring ring() {
        return ring;
    }

    /** Bytes that were written to the receiver. */
    long passed() {
        return passed;
    }

    /** The lane's cut is to happen now. */
    boolean cutIsDue() {
        return lane.cutIsDue(!ring.isEmpty() && !discards());
    }

    /** The end of the stream has been passed on. */
    boolean isOver() {
        return endPassed;
    }

    /** Bytes, or the end, were thrown away: this stream must never go on as if nothing were missing. */
    boolean isHoled() {
        return holed;
    }

    /** The receiver is gone, and the sender is not to know. */
    void loseReceiver() {
        out = null;
        holed = true;
    }

    /** The sender is gone, and the receiver is not to know. */
    void loseSender() {
        ended = true;
        holed = true;
    }

    /** Moves what can be moved now. */
    void pump(long now) {
        waitsForRoom = false;
        for (int round = 0; round < ROUNDS; round++) {
            int moved = fill(now) + drain(now);
            if (moved == 0) {
                break;
            }
        }
        passEnd();
        in.wantRead(!ended && !lane.stalls && (discards() || ring.room() > 0));
        if (out != null) {
            out.wantWrite(waitsForRoom);
        }
    }

    /** Nanoseconds until a delay or a rate lets something pass; {@link Long#MAX_VALUE}: no time will change anything. */
    long nextMove(long now) {
        if (ring.isEmpty() || waitsForRoom || discards()) {
            return Long.MAX_VALUE;
        }
        return Math.max(ring.nextRelease(now), lane.nextAllowance(now));
    }

    private boolean discards() {
        return lane.swallows || out == null;
    }

    private int fill(long now) {
        if (ended || lane.stalls) {
            return 0;
        }
        if (discards()) {
            return discard();
        }
        ByteBuffer room = ring.roomSlice(READ_BYTES);
        if (!room.hasRemaining()) {
            return 0;
        }
        int count = in.read(room);
        if (count < 0) {
            ended = true;
            return 0;
        }
        ring.filled(count, lane.delayNanos == 0 ? now : now + lane.delayNanos);
        return count;
    }

    private int discard() {
        if (!ring.isEmpty()) {
            lane.swallowed.add(ring.clear());
            holed = true;
        }
        int count = in.read(ring.roomSlice(READ_BYTES));
        if (count != 0) {
            holed = true;
        }
        if (count < 0) {
            ended = true;
            return 0;
        }
        lane.swallowed.add(count);
        return count;
    }

    private int drain(long now) {
        if (discards() || ring.isEmpty() || out == null) {
            return 0;
        }
        int may = lane.allowance(ring.released(now), now);
        if (may == 0) {
            return 0;
        }
        ByteBuffer bytes = ring.releasedSlice(may);
        int wanted = bytes.remaining();
        int count = out.write(bytes);
        ring.drained(count);
        lane.pass(count, now);
        passed += count;
        waitsForRoom = count < wanted;
        return waitsForRoom ? 0 : count;
    }

    private void passEnd() {
        if (ended && !endPassed && ring.isEmpty() && !discards() && !holed && out != null) {
            out.shutdownOutput();
            endPassed = true;
        }
    }
}
