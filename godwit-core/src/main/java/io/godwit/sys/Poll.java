// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** One wait for several descriptors ({@code poll(2)}). Used by one thread. */
public final class Poll implements AutoCloseable {
    public static final int IN = 1;
    public static final int OUT = 4;
    public static final int ERR = 8;
    /** Nobody is at the other end any more; told also where nothing was asked for. */
    public static final int HUP = 16;

    private static final int EINTR = 4;
    /** {@code struct pollfd}: int fd, short events, short revents. */
    private static final long ENTRY = 8;

    private static final CFunction POLL = CFunction.of("poll");

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment state = arena.allocate(CFunction.CALL_STATE);
    private final MemorySegment entries;
    private final int places;

    public Poll(int places) {
        this.places = places;
        this.entries = arena.allocate(places * ENTRY, 8);
        for (int place = 0; place < places; place++) {
            watch(place, null, 0);
        }
    }

    /** @param descriptor null: this place is empty */
    public void watch(int place, @Nullable Descriptor descriptor, int events) {
        // The kernel skips a negative number.
        entries.set(JAVA_INT, place * ENTRY, descriptor == null ? -1 : descriptor.number());
        entries.set(JAVA_SHORT, place * ENTRY + 4, (short) events);
        entries.set(JAVA_SHORT, place * ENTRY + 6, (short) 0);
    }

    /** What was found of that place by the last {@link #await}. */
    public int found(int place) {
        return entries.get(JAVA_SHORT, place * ENTRY + 6);
    }

    /** @param millis negative: no limit */
    public void await(int millis) throws SystemCallException {
        int rc = POLL.call(state, entries.address(), places, millis, 0);
        if (rc < 0 && CFunction.errno(state) != EINTR) {
            throw new SystemCallException("cannot wait for descriptors", "poll", CFunction.errno(state));
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
