// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * One side's hold on the guest: who may run it, whether it runs, and its writers, each a chain of events that read or write a page. What they find is
 * compared with the {@link Truth} at every access. A writer that lacks a page waits for it and for nothing else.
 */
final class SimGuest {
    /** Where the guest belongs, as this side knows it. */
    enum Holder {
        HERE,
        /** An incoming migration has not brought it yet. */
        AWAITED,
        /** Stopped for an outgoing migration. */
        SWITCHING,
        /** Handed over. */
        GONE
    }

    private final String side;
    private final Truth truth;
    private final SimMemory memory;
    private final EventQueue queue;
    private final SplittableRandom random;
    private long pace;
    private final boolean[] blocked;
    private final long[] blockedSince;
    private final Map<Integer, List<Runnable>> waiters = new HashMap<>();
    private Runnable onMissing = () -> {};
    private Runnable onStopped = () -> {};
    private Runnable onAccess = () -> {};
    private Holder holder;
    private boolean wanted;
    private boolean running;
    private boolean stopping;
    private boolean migrationWaits;
    private long life;
    private boolean everRan;

    /** @param pace mean nanoseconds between two accesses of one writer */
    SimGuest(
            String side,
            Holder holder,
            Truth truth,
            SimMemory memory,
            EventQueue queue,
            SplittableRandom random,
            long pace) {
        this.side = side;
        this.holder = holder;
        this.truth = truth;
        this.memory = memory;
        this.queue = queue;
        this.random = random;
        this.pace = pace;
        this.blocked = new boolean[truth.writers()];
        this.blockedSince = new long[truth.writers()];
    }

    /**
     * @param missing a page is lacking that was not before
     * @param stopped the stop that a migration had ordered has ended
     * @param access a writer has done a step, so the world may be looked at
     */
    void listen(Runnable missing, Runnable stopped, Runnable access) {
        onMissing = missing;
        onStopped = stopped;
        onAccess = access;
    }

    /** From now on it does much less. */
    void calmDown() {
        pace *= 10;
    }

    boolean running() {
        return running;
    }

    /** Whether it has run on this side at any time. */
    boolean everRan() {
        return everRan;
    }

    Holder holder() {
        return holder;
    }

    /** Of a guest that never runs here: where it belongs now. */
    void holder(Holder now) {
        holder = now;
    }

    boolean wanted() {
        return wanted;
    }

    /** How many of its writers wait for a page. */
    int waiting() {
        int n = 0;
        for (boolean one : blocked) {
            n += one ? 1 : 0;
        }
        return n;
    }

    /** For how long one of them waits already. */
    long longestWait() {
        long longest = 0;
        for (int i = 0; i < blocked.length; i++) {
            longest = blocked[i] ? Math.max(longest, queue.now() - blockedSince[i]) : longest;
        }
        return longest;
    }

    /** The operator's stop or cont; the caller has asked whether it may be. */
    void want(boolean run) {
        wanted = run;
        settle();
    }

    void arrived(boolean run) {
        holder = Holder.HERE;
        want(run);
    }

    void stopForMigration() {
        holder = Holder.SWITCHING;
        migrationWaits = true;
        if (running || stopping) {
            settle();
        } else {
            queue.after(0, this::stopped);
        }
    }

    void giveBack() {
        if (holder != Holder.HERE) {
            holder = Holder.HERE;
            migrationWaits = false;
            settle();
        }
    }

    void handedOver() {
        holder = Holder.GONE;
    }

    private void settle() {
        boolean run = holder == Holder.HERE && wanted;
        if (stopping) {
            return;
        }
        if (run && !running) {
            start();
        } else if (!run && running) {
            stopping = true;
            queue.after(random.nextLong(2_000_000), this::stopped);
        }
    }

    private void start() {
        running = true;
        everRan = true;
        life++;
        Arrays.fill(blocked, false);
        for (int writer = 0; writer < blocked.length; writer++) {
            next(writer, life);
        }
    }

    private void stopped() {
        if (stopping) {
            stopping = false;
            running = false;
            life++;
            Arrays.fill(blocked, false);
        }
        settle();
        boolean waited = migrationWaits && holder == Holder.SWITCHING;
        migrationWaits = false;
        if (waited) {
            onStopped.run();
        }
    }

    private void next(int writer, long ofLife) {
        queue.after(1 + random.nextLong(2 * pace), () -> {
            if (ofLife == life) {
                access(writer, random.nextInt(truth.pages()));
                onAccess.run();
            }
        });
    }

    private void access(int writer, int page) {
        if (!memory.present(page)) {
            blocked[writer] = true;
            blockedSince[writer] = queue.now();
            waitsFor(writer, page, life);
            if (memory.want(page)) {
                onMissing.run();
            }
            return;
        }
        if (!truth.matches(page, memory.array(page), memory.offset(page))) {
            throw new Violation("the guest at the " + side + " finds " + memory.name(page)
                    + " not as it left it: it was written " + truth.version(page) + " times");
        }
        if (random.nextInt(3) > 0) {
            truth.write(page, memory.array(page), memory.offset(page));
            memory.touched(page);
        }
        truth.step(writer);
        next(writer, life);
    }

    private void waitsFor(int writer, int page, long ofLife) {
        waiters.computeIfAbsent(page, p -> new ArrayList<>()).add(() -> {
            if (ofLife == life) {
                blocked[writer] = false;
                access(writer, page);
                onAccess.run();
            }
        });
    }

    /** A page has come: whoever waits for it goes on, by events of their own. */
    void placed(int page) {
        List<Runnable> all = waiters.remove(page);
        if (all != null) {
            all.forEach(one -> queue.after(1 + random.nextLong(5_000), one));
        }
    }
}
