// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import io.godwit.sim.check.Line.Far;
import io.godwit.sim.check.Line.Near;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One state of the whole: both machines by their numbers, what is under way, memory, guest, and how many failures are left. Pages are bits of a set: pages 0 and 1 are
 * block 0, pages 2 and 3 block 1. While the guest is at the source it writes page 0, once; at the destination it touches page 3 and then writes it.
 */
final class Scene {
    static final int PAGES = 4;
    static final int ALL = 15;
    static final int WRITTEN_HERE = 1;
    /** The page that the guest wants at the destination. */
    static final int TOUCHED = 1 << 3;

    /** The guest at the source. */
    enum Here {
        RUNS,
        /** It was asked to stop. */
        STOPS,
        STOPPED
    }

    private static final Here[] HERE = Here.values();

    int source;
    int destination;
    int failuresLeft;
    Here here = Here.RUNS;
    /** Pages that the guest has written at the source, and those of them that the source does not know of yet. */
    int written;

    int unharvested;
    int toSend;
    int urgent;
    /** Received bitmaps that came in this recovery. */
    int claimed;
    /** Bytes that the kernel has not taken yet: nothing, or what begins with a commit point. */
    short[] outbox = Message.NONE;

    /** The commit point's last byte was handed to the kernel. */
    boolean handedOver;

    boolean resolvedHere;
    int received;
    /** Received pages in the version that the guest wrote at the source. */
    int fresh;
    /** Pages that the guest has written at the destination. */
    int own;

    boolean postcopy;
    boolean arrived;
    boolean touched;
    boolean asked;
    final List<Line> lines = new ArrayList<>(4);

    Scene copy() {
        Scene copy = new Scene();
        copy.source = source;
        copy.destination = destination;
        copy.failuresLeft = failuresLeft;
        copy.here = here;
        copy.written = written;
        copy.unharvested = unharvested;
        copy.toSend = toSend;
        copy.urgent = urgent;
        copy.claimed = claimed;
        copy.outbox = outbox;
        copy.handedOver = handedOver;
        copy.resolvedHere = resolvedHere;
        copy.received = received;
        copy.fresh = fresh;
        copy.own = own;
        copy.postcopy = postcopy;
        copy.arrived = arrived;
        copy.touched = touched;
        copy.asked = asked;
        for (Line line : lines) {
            copy.lines.add(line.copy());
        }
        return copy;
    }

    /** The source's connection for that channel, or null. */
    @Nullable
    Line near(boolean preempt) {
        for (Line line : lines) {
            if (line.near != Near.CLOSED && line.preempt == preempt) {
                return line;
            }
        }
        return null;
    }

    /** The destination's main or preempt channel, or null. */
    @Nullable
    Line far(Far role) {
        for (Line line : lines) {
            if (line.far == role) {
                return line;
            }
        }
        return null;
    }

    /** Throws away what has no future, so that equal futures are equal states. */
    void tidy() {
        lines.removeIf(Line::over);
        int rank = 0;
        for (Line line : lines.stream()
                .filter(l -> l.order > 0)
                .sorted(Comparator.comparingInt(l -> l.order))
                .toList()) {
            line.order = line.far == Far.GONE ? 0 : ++rank;
        }
    }

    int lastOrder() {
        return lines.stream().mapToInt(line -> line.order).max().orElse(0);
    }

    /** The state in bytes: equal states have equal bytes. */
    @SuppressWarnings("EnumOrdinal") // read back by this program only, while it runs
    byte[] bytes() {
        int size = 12 + 2 * outbox.length;
        for (Line line : lines) {
            size += 4 + 2 * (line.there.length + line.back.length);
        }
        Packer out = new Packer(new byte[size]);
        out.two(source);
        out.two(destination);
        out.one(failuresLeft << 2 | here.ordinal());
        out.one(written << 4 | unharvested);
        out.one(toSend << 4 | urgent);
        out.one(received << 4 | fresh);
        out.one(claimed << 4 | own);
        out.one(bits(handedOver, resolvedHere, postcopy, arrived, touched, asked));
        out.queue(outbox);
        out.one(lines.size());
        for (Line line : lines) {
            out.one(line.order << 5 | line.far.ordinal() << 2 | line.near.ordinal());
            out.one(bits(line.preempt, line.endThere, line.endBack, line.silentThere, line.silentBack, line.pinged));
            out.queue(line.there);
            out.queue(line.back);
        }
        return out.done();
    }

    static Scene of(byte[] bytes) {
        Packer in = new Packer(bytes);
        Scene scene = new Scene();
        scene.source = in.two();
        scene.destination = in.two();
        int first = in.one();
        scene.failuresLeft = first >> 2;
        scene.here = HERE[first & 3];
        int pair = in.one();
        scene.written = pair >> 4;
        scene.unharvested = pair & 15;
        pair = in.one();
        scene.toSend = pair >> 4;
        scene.urgent = pair & 15;
        pair = in.one();
        scene.received = pair >> 4;
        scene.fresh = pair & 15;
        pair = in.one();
        scene.claimed = pair >> 4;
        scene.own = pair & 15;
        int flags = in.one();
        scene.handedOver = (flags & 1) != 0;
        scene.resolvedHere = (flags & 2) != 0;
        scene.postcopy = (flags & 4) != 0;
        scene.arrived = (flags & 8) != 0;
        scene.touched = (flags & 16) != 0;
        scene.asked = (flags & 32) != 0;
        scene.outbox = in.queue();
        for (int left = in.one(); left > 0; left--) {
            scene.lines.add(line(in));
        }
        return scene;
    }

    private static Line line(Packer in) {
        int ends = in.one();
        int flags = in.one();
        Line line = new Line((flags & 1) != 0);
        line.order = ends >> 5;
        line.far = Line.FAR[ends >> 2 & 7];
        line.near = Line.NEAR[ends & 3];
        line.endThere = (flags & 2) != 0;
        line.endBack = (flags & 4) != 0;
        line.silentThere = (flags & 8) != 0;
        line.silentBack = (flags & 16) != 0;
        line.pinged = (flags & 32) != 0;
        line.there = in.queue();
        line.back = in.queue();
        return line;
    }

    private static int bits(boolean... flags) {
        int bits = 0;
        for (int i = 0; i < flags.length; i++) {
            bits |= flags[i] ? 1 << i : 0;
        }
        return bits;
    }

    /** Writes or reads small numbers one after another. */
    private static final class Packer {
        private final byte[] bytes;
        private int at;

        Packer(byte[] bytes) {
            this.bytes = bytes;
        }

        void one(int value) {
            if (value < 0 || value > 255) {
                throw new IllegalStateException("a state does not fit into its bytes: " + value);
            }
            bytes[at++] = (byte) value;
        }

        void two(int value) {
            one(value >> 8);
            one(value & 0xff);
        }

        void queue(short[] codes) {
            one(codes.length);
            for (short code : codes) {
                two(code);
            }
        }

        int one() {
            return bytes[at++] & 0xff;
        }

        int two() {
            return one() << 8 | one();
        }

        short[] queue() {
            int length = one();
            short[] codes = length == 0 ? Message.NONE : new short[length];
            for (int i = 0; i < length; i++) {
                codes[i] = (short) two();
            }
            return codes;
        }

        byte[] done() {
            if (at != bytes.length) {
                throw new IllegalStateException("a state of " + at + " bytes in " + bytes.length);
            }
            return bytes;
        }
    }
}
