// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench;

import io.godwit.engine.Endpoint;
import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.EndpointListener;
import io.godwit.guest.ChurnGuest;
import io.godwit.guest.ChurnOptions;
import io.godwit.guest.Verification;
import io.godwit.memory.Backing;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** One migration between two endpoints of this process over real sockets, with what is to be measured of it. Used by one thread. */
final class Trial implements AutoCloseable {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(300);
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    /** When one side said what; nanoseconds of {@link System#nanoTime}. */
    static final class Clock implements EndpointListener {
        private record Entry(String what, long at) {}

        private final List<Entry> entries = new ArrayList<>();

        @Override
        public synchronized void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
            note(to.word());
        }

        @Override
        public synchronized void guestStopped() {
            note("STOP");
        }

        @Override
        public synchronized void guestResumed() {
            note("RESUME");
        }

        private void note(String what) {
            entries.add(new Entry(what, System.nanoTime()));
            notifyAll();
        }

        /** Forgets what was said so far. */
        synchronized void clear() {
            entries.clear();
        }

        /** When it was said first since the last {@link #clear}; waits for it. */
        synchronized long await(String what) {
            long deadline = System.nanoTime() + PATIENCE_NANOS;
            while (true) {
                for (Entry entry : entries) {
                    if (entry.what.equals(what)) {
                        return entry.at;
                    }
                }
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    throw new IllegalStateException("'" + what + "' did not come in time; seen: " + entries);
                }
                try {
                    TimeUnit.NANOSECONDS.timedWait(this, left);
                } catch (InterruptedException e) {
                    throw new IllegalStateException("interrupted while waiting for '" + what + "'", e);
                }
            }
        }
    }

    final Clock sourceClock = new Clock();
    final Clock destinationClock = new Clock();
    final Endpoint source;
    final Endpoint destination;
    final ChurnGuest destinationGuest;
    private final ChurnGuest sourceGuest;
    private final Path folder;
    private final @Nullable Relay relay;
    private final Address target;
    private final long[] loops;

    Trial(
            ChurnOptions options,
            boolean tcp,
            boolean relayed,
            Collection<Capability> capabilities,
            UnaryOperator<Parameters> change)
            throws IOException, CommandRefused {
        folder = Files.createTempDirectory("godwit-bench");
        sourceGuest = ChurnGuest.create(options, Backing.ANONYMOUS);
        destinationGuest = ChurnGuest.incoming(options.size(), Backing.ANONYMOUS);
        source = Endpoint.withGuest("bench-source", sourceGuest, System::nanoTime, new Random(options.seed()));
        destination = Endpoint.forIncoming(
                "bench-destination", destinationGuest, System::nanoTime, new Random(options.seed()));
        source.addListener(sourceClock);
        destination.addListener(destinationClock);
        Map<Capability, Boolean> on = new EnumMap<>(Capability.class);
        capabilities.forEach(capability -> on.put(capability, true));
        source.setCapabilities(on);
        destination.setCapabilities(on);
        parameters(change);
        destination.migrateIncoming(
                tcp ? new Address.Tcp("127.0.0.1", 0) : new Address.Unix(folder.resolve("destination.sock")));
        Address listening = destination.info().listening().getFirst();
        relay = relayed
                ? Relay.start(new Address.Unix(folder.resolve("relay.sock")), listening, FaultPlan.NONE, event -> {})
                : null;
        target = relay == null ? listening : relay.address();
        loops = new long[] {loop("bench-source"), loop("bench-destination")};
        source.cont();
    }

    private static long loop(String name) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("godwit-loop-" + name))
                .mapToLong(Thread::threadId)
                .max()
                .orElseThrow();
    }

    void parameters(UnaryOperator<Parameters> change) throws CommandRefused {
        source.setParameters(change);
        destination.setParameters(change);
    }

    void migrate(boolean resume) throws CommandRefused {
        source.migrate(target, resume);
    }

    /** Breaks the relayed channels. */
    void cut() {
        if (relay == null) {
            throw new IllegalStateException("nothing to cut");
        }
        relay.cut();
    }

    /** CPU nanoseconds that the source's loop has used so far. */
    long sourceCpu() {
        return THREADS.getThreadCpuTime(loops[0]);
    }

    /** CPU nanoseconds that the destination's loop has used so far. */
    long destinationCpu() {
        return THREADS.getThreadCpuTime(loops[1]);
    }

    /** Stops the guest where it is now and compares every page: a figure of a migration that lost something is worth nothing. */
    void verify() throws CommandRefused {
        CountDownLatch stopped = new CountDownLatch(1);
        destination.addListener(new EndpointListener() {
            @Override
            public void guestStopped() {
                stopped.countDown();
            }
        });
        destination.stop();
        try {
            if (!stopped.await(PATIENCE_NANOS, TimeUnit.NANOSECONDS)) {
                throw new IllegalStateException("the guest does not stop");
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while the guest was stopped", e);
        }
        Verification verification = destinationGuest.verify();
        if (!verification.ok()) {
            throw new IllegalStateException("the memory is wrong after the migration: " + verification.summary());
        }
    }

    @Override
    public void close() throws IOException {
        if (relay != null) {
            relay.close();
        }
        source.close();
        destination.close();
        sourceGuest.memory().close();
        destinationGuest.memory().close();
        Files.delete(folder);
    }
}
