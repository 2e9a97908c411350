// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** One connection of the simulated network: two pipes and whoever holds their ends. */
final class SimLink {
    /** Who holds an end. All calls are events of their own, except that a call may follow another within one event. */
    interface Holder {
        /** The connection is there; only for the one who connected. */
        void connected();

        /** There are bytes, or the end. */
        void readable();

        /** There is room again after a write that was not taken whole. */
        void writable();

        /** It could not be made, or is lost. */
        void broken(String reason);
    }

    /** The end of the one who connected, and that of the one who listened. */
    static final int INITIATOR = 0;

    static final int ACCEPTOR = 1;

    private final EventQueue queue;
    private final SplittableRandom random;
    private final LinkPlan plan;
    private final FaultLog faults;
    private final Pipe[] pipes;
    private final @Nullable Holder[] holders = new @Nullable Holder[2];
    private final boolean[] starved = new boolean[2];
    private final String name;
    private boolean cut;
    private boolean accepted;
    private boolean vanished;
    private final boolean[] struck = new boolean[2];

    SimLink(String name, LinkPlan plan, EventQueue queue, SplittableRandom random, FaultLog faults) {
        this.name = name;
        this.faults = faults;
        this.plan = plan;
        this.queue = queue;
        this.random = random;
        this.pipes = new Pipe[] {new Pipe(plan.room(), plan.forward()), new Pipe(plan.room(), plan.backward())};
    }

    String name() {
        return name;
    }

    LinkPlan plan() {
        return plan;
    }

    void hold(int end, Holder holder) {
        holders[end] = holder;
        accepted = accepted || end == ACCEPTOR;
        // What was written before somebody was there.
        wake(1 - end, pipes[1 - end].readableAt());
    }

    /** Bytes that went in at this end. */
    long sent(int end) {
        return pipes[end].sent();
    }

    /** Whether something may still come out at either end. */
    boolean alive() {
        return holders[0] != null || holders[1] != null || pipes[0].undelivered() || pipes[1].undelivered();
    }

    /** Whether bytes written at this end may still be read at the other. */
    boolean mayDeliver(int from) {
        return plan.acceptAfter() >= 0
                && (holders[1 - from] != null || !accepted)
                && (pipes[from].undelivered() || (holders[from] != null && !cut));
    }

    /** Takes what there is room for now. A short count is followed by {@link Holder#writable}. */
    int write(int end, ByteBuffer from) {
        if (holders[end] == null) {
            throw new IllegalStateException("written after the end of it");
        }
        if (starved[end]) {
            return 0;
        }
        // Now and then the kernel takes little, so that every split of a message is met.
        int most = random.nextInt(8) == 0 ? 1 + random.nextInt(200) : Integer.MAX_VALUE;
        long delay = plan.latency() + (plan.jitter() == 0 ? 0 : random.nextLong(plan.jitter()));
        int before = from.remaining();
        Pipe.Sent sent = pipes[end].write(from, most, queue.now(), delay);
        wake(end, sent.readableAt());
        note(end);
        if (sent.cut()) {
            boolean reset = fault(end) instanceof PipeFault.Cut(long _, boolean r) && r;
            queue.after(sent.taken() == 0 ? 0 : random.nextLong(delay + 1), () -> cut(reset, "cut by the network"));
        }
        if (sent.taken() < before) {
            starved[end] = true;
            if (sent.taken() == most) {
                queue.after(1 + random.nextLong(20_000), () -> feed(end));
            }
        }
        return sent.taken();
    }

    /** Counts the plan's fault when the byte passes at which it strikes. */
    private void note(int end) {
        long now = pipes[end].sent();
        FaultKind kind = switch (fault(end)) {
            case PipeFault.None _ -> null;
            case PipeFault.Cut(long after, boolean _) -> now >= after ? FaultKind.CUT : null;
            case PipeFault.Silence(long after, boolean _) -> now >= after ? FaultKind.SILENCE : null;
            case PipeFault.Stall(long after, long _) -> now > after ? FaultKind.STALL : null;
        };
        if (kind != null && !struck[end]) {
            struck[end] = true;
            faults.add(kind, name + (end == INITIATOR ? ", to" : ", from") + " the destination");
        }
    }

    private PipeFault fault(int end) {
        return end == INITIATOR ? plan.forward() : plan.backward();
    }

    private void feed(int end) {
        Holder holder = holders[end];
        if (starved[end] && holder != null) {
            starved[end] = false;
            holder.writable();
        }
    }

    /** The other end can read what was written here, at that time. */
    private void wake(int writer, long at) {
        if (at >= 0 && at != Long.MAX_VALUE) {
            queue.after(at - queue.now(), () -> {
                Holder reader = holders[1 - writer];
                if (reader != null) {
                    reader.readable();
                }
            });
        }
    }

    /** Reads what has arrived, or some of it; -1 if nothing comes any more. Who leaves bytes behind is told of them again. */
    int read(int end, ByteBuffer into) {
        Pipe pipe = pipes[1 - end];
        int most = random.nextInt(4) == 0 ? 1 + random.nextInt(300) : Integer.MAX_VALUE;
        int n = pipe.read(into, most, queue.now());
        if (n > 0) {
            if (into.hasRemaining()) {
                wake(1 - end, Math.max(queue.now(), Math.min(pipe.readableAt(), pipe.lastArrival())));
            }
            if (starved[1 - end]) {
                queue.after(plan.latency(), () -> feed(1 - end));
            }
        }
        return n;
    }

    /** Nothing more is written at this end. */
    void shutdownOutput(int end) {
        pipes[end].end();
        wake(end, Math.max(pipes[end].lastArrival(), queue.now() + plan.latency()));
    }

    /** This end is closed: what was written still arrives, what comes is not taken any more. */
    void close(int end) {
        if (holders[end] == null) {
            return;
        }
        holders[end] = null;
        shutdownOutput(end);
        pipes[1 - end].reset();
    }

    /** Whether a machine at one of its ends has lost power. */
    boolean vanished() {
        return vanished;
    }

    /** The machine at this end has lost power: nothing of it is heard any more, not even an end. */
    void vanish(int end) {
        vanished = true;
        accepted = true;
        holders[end] = null;
        pipes[end].silence(true);
        pipes[1 - end].silence(true);
    }

    /** The network, or a proxy, ends it for both. */
    void cut(boolean reset, String reason) {
        if (cut) {
            return;
        }
        cut = true;
        for (int end = 0; end < 2; end++) {
            int reader = end;
            if (reset) {
                pipes[end].reset();
                queue.after(random.nextLong(2 * plan.latency() + 1), () -> lost(reader, reason));
            } else {
                pipes[end].end();
                wake(end, Math.max(pipes[end].lastArrival(), queue.now() + random.nextLong(plan.latency() + 1)));
            }
        }
    }

    private void lost(int end, String reason) {
        Holder holder = holders[end];
        if (holder != null) {
            holders[end] = null;
            holder.broken(reason);
        }
    }

    /** From now on nothing that is written at this end arrives. */
    void silence(int end) {
        pipes[end].silence(random.nextBoolean());
    }

    /** The network is well again: what was only held up goes on. */
    void heal() {
        for (int end = 0; end < 2; end++) {
            pipes[end].heal(queue.now());
            wake(end, pipes[end].readableAt());
            int writer = end;
            queue.after(0, () -> feed(writer));
        }
    }

    /** The connection never comes to be; for {@link SimNetwork}. */
    void refuse() {
        lost(INITIATOR, name + ": connection refused");
        cut = true;
    }

    /** Nobody listens where it arrives, or not any more. */
    void turnAway() {
        accepted = true;
        pipes[INITIATOR].reset();
        cut(true, "nobody listens");
    }

    void established() {
        Holder holder = holders[INITIATOR];
        if (holder != null && !cut) {
            holder.connected();
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
