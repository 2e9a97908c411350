// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** A source and a destination in this process, real sockets and a relay between them. Tests tell it what to do and wait for what both say. */
final class Pair implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 30;

    /** What one side said, in order. */
    static final class Diary implements EndpointListener {
        final String who;
        final List<String> lines = new CopyOnWriteArrayList<>();
        private final Object monitor = new Object();
        private MigrationStatus status = MigrationStatus.NONE;

        Diary(String who) {
            this.who = who;
        }

        @Override
        public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
            lines.add(to + " (" + reason + ")");
            synchronized (monitor) {
                status = to;
                monitor.notifyAll();
            }
        }

        @Override
        public void notice(String text) {
            lines.add("! " + text);
        }

        @Override
        public void guestStopped() {
            lines.add("STOP");
        }

        @Override
        public void guestResumed() {
            lines.add("RESUME");
        }

        List<String> states() {
            return lines.stream()
                    .filter(l -> !l.startsWith("!"))
                    .map(l -> l.replaceAll(" \\(.*", ""))
                    .toList();
        }

        /** Waits until the status has been that at some time. */
        void awaitLine(String status) {
            await(() -> states().contains(status), status);
        }

        void await(MigrationStatus... wanted) {
            await(() -> Arrays.asList(wanted).contains(status), Arrays.toString(wanted));
        }

        private void await(BooleanSupplier met, String wanted) {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            synchronized (monitor) {
                while (!met.getAsBoolean()) {
                    long left = end - System.nanoTime();
                    assertThat(left)
                            .as("%s waits for %s: %s", who, wanted, lines)
                            .isPositive();
                    try {
                        TimeUnit.NANOSECONDS.timedWait(monitor, left);
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                }
            }
        }
    }

    final Path folder;
    final ChurnGuest sourceGuest;
    final ChurnGuest destinationGuest;
    final Endpoint source;
    final Endpoint destination;
    final Diary src = new Diary("source");
    final Diary dst = new Diary("destination");
    final Relay relay;
    final Address target;

    Pair(ChurnOptions options, Capability... capabilities) throws Exception {
        folder = Files.createTempDirectory("godwit-pair");
        sourceGuest = ChurnGuest.create(options, Backing.ANONYMOUS);
        destinationGuest = ChurnGuest.incoming(options.size(), Backing.MEMFD);
        source = Endpoint.withGuest("source", sourceGuest, System::nanoTime, new Random(options.seed()));
        destination =
                Endpoint.forIncoming("destination", destinationGuest, System::nanoTime, new Random(options.seed() + 1));
        source.addListener(src);
        destination.addListener(dst);
        Map<Capability, Boolean> on = Arrays.stream(capabilities).collect(Collectors.toMap(c -> c, c -> true));
        source.setCapabilities(on);
        destination.setCapabilities(on);
        Address listen = new Address.Unix(folder.resolve("dst.sock"));
        destination.migrateIncoming(listen);
        relay = Relay.start(new Address.Unix(folder.resolve("src.sock")), listen, FaultPlan.NONE, event -> {});
        target = relay.address();
        source.cont();
    }

    void parameters(UnaryOperator<Parameters> change) throws Exception {
        source.setParameters(change);
        destination.setParameters(change);
    }

    /** Precopy, then postcopy with pages still to be sent. */
    void toPostcopy() throws Exception {
        source.migrate(target, false);
        src.await(MigrationStatus.ACTIVE);
        source.migrateStartPostcopy();
        dst.await(MigrationStatus.POSTCOPY_ACTIVE);
        src.await(MigrationStatus.POSTCOPY_ACTIVE);
    }

    /** A cut so early that nothing proves yet that the destination has the guest leaves the source uncertain: it recovers all the same. */
    void bothPaused() {
        src.await(MigrationStatus.POSTCOPY_PAUSED, MigrationStatus.UNCERTAIN);
        dst.await(MigrationStatus.POSTCOPY_PAUSED);
    }

    void bothCompleted() {
        src.await(MigrationStatus.COMPLETED);
        dst.await(MigrationStatus.COMPLETED);
    }

    /** Stops the guest at the destination and compares every page. */
    void verifyDestination() throws Exception {
        verify(destination, destinationGuest);
    }

    static void verify(Endpoint endpoint, ChurnGuest guest) throws Exception {
        CountDownLatch stopped = new CountDownLatch(1);
        endpoint.addListener(new EndpointListener() {
            @Override
            public void guestStopped() {
                stopped.countDown();
            }
        });
        endpoint.stop();
        assertThat(stopped.await(PATIENCE_SECONDS, TimeUnit.SECONDS))
                .as("the guest stops")
                .isTrue();
        Verification verification = guest.verify();
        assertThat(verification.ok()).as(verification.summary()).isTrue();
    }

    @Override
    public void close() throws IOException {
        relay.close();
        source.close();
        destination.close();
        sourceGuest.memory().close();
        destinationGuest.memory().close();
        try (var files = Files.list(folder)) {
            assertThat(files.toList()).as("nothing is left behind").isEmpty();
        }
        Files.delete(folder);
    }
}
