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
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** A source and a destination in this process, real sockets and a relay between them. Tests tell it what to do and wait for what both say. */
final class Pair implements AutoCloseable {
    static final long MIB = 1 << 20;

    /** 1 MiB and what every churn guest has besides: 576 pages, of which its writers want about half, slowly. */
    static final ChurnOptions TINY = ChurnOptions.of(MIB).withWriters(2, 200).withSeed(4711);

    /** What the sockets are. */
    enum Net {
        UNIX,
        TCP
    }

    private final Set<Thread> before = threads();
    final Path folder;
    final ChurnGuest sourceGuest;
    final ChurnGuest destinationGuest;
    final Endpoint source;
    final Endpoint destination;
    final Diary src = new Diary("source");
    final Diary dst = new Diary("destination");
    final OneGuest guests;
    final Relay relay;
    final Address target;
    /** Where the destination listens itself. */
    final Address listen;

    Pair(ChurnOptions options, Capability... capabilities) throws Exception {
        this(Net.UNIX, options, capabilities);
    }

    Pair(Net net, ChurnOptions options, Capability... capabilities) throws Exception {
        this(net, options, options.size(), capabilities, capabilities);
    }

    Pair(Net net, ChurnOptions options, long sizeThere, Capability[] here, Capability[] there) throws Exception {
        this(net, options, sizeThere, here, there, false);
    }

    /** A destination that does not listen yet. */
    static Pair deferred(ChurnOptions options, Capability... capabilities) throws Exception {
        return new Pair(Net.UNIX, options, options.size(), capabilities, capabilities, true);
    }

    private Pair(Net net, ChurnOptions options, long sizeThere, Capability[] here, Capability[] there, boolean deferred)
            throws Exception {
        folder = Files.createTempDirectory("godwit-pair");
        sourceGuest = ChurnGuest.create(options, Backing.ANONYMOUS);
        destinationGuest = ChurnGuest.incoming(sizeThere, Backing.MEMFD);
        source = Endpoint.withGuest("source", sourceGuest, System::nanoTime, new Random(options.seed()));
        destination =
                Endpoint.forIncoming("destination", destinationGuest, System::nanoTime, new Random(options.seed() + 1));
        guests = new OneGuest(sourceGuest, destinationGuest, src, dst);
        src.readWith(dst);
        dst.readWith(src);
        source.addListener(guests.watching("source"));
        destination.addListener(guests.watching("destination"));
        source.addListener(src);
        destination.addListener(dst);
        source.setCapabilities(on(here));
        destination.setCapabilities(on(there));
        Address place = net == Net.TCP ? new Address.Tcp("127.0.0.1", 0) : new Address.Unix(folder.resolve("dst.sock"));
        if (!deferred) {
            destination.migrateIncoming(place);
        }
        listen = deferred ? place : destination.info().listening().getFirst();
        relay = Relay.start(
                net == Net.TCP ? new Address.Tcp("127.0.0.1", 0) : new Address.Unix(folder.resolve("src.sock")),
                listen,
                FaultPlan.NONE,
                event -> {});
        target = relay.address();
        source.cont();
    }

    static Map<Capability, Boolean> on(Capability... capabilities) {
        return Arrays.stream(capabilities).collect(Collectors.toMap(c -> c, c -> true));
    }

    static Capability[] postcopy(boolean preempt) {
        return preempt
                ? new Capability[] {Capability.POSTCOPY_RAM, Capability.POSTCOPY_PREEMPT, Capability.RETURN_PATH}
                : new Capability[] {Capability.POSTCOPY_RAM, Capability.RETURN_PATH};
    }

    /** Deadlines that only a test which wants it runs into; precopy sends nothing, and postcopy only what is asked for. */
    static Parameters slow(Parameters p) {
        return new Parameters(1, 1, p.downtimeLimitMillis(), 0, 5000, 10_000, 50)
                .withMultifd(p.multifd())
                .withTls(p.tls());
    }

    /** Long deadlines and no limits. */
    static Parameters fast(Parameters p) {
        return new Parameters(0, 0, p.downtimeLimitMillis(), 0, 5000, 10_000, 50)
                .withMultifd(p.multifd())
                .withTls(p.tls());
    }

    void parameters(UnaryOperator<Parameters> change) throws Exception {
        source.setParameters(change);
        destination.setParameters(change);
    }

    /** Precopy, then postcopy with pages still to be sent. */
    void toPostcopy() throws Exception {
        source.migrate(target, false);
        // At once, else a small guest is there before the word is said.
        source.migrateStartPostcopy();
        dst.await(MigrationStatus.POSTCOPY_ACTIVE);
        src.await(MigrationStatus.POSTCOPY_ACTIVE);
    }

    /** As {@link #toPostcopy}, and the source knows that the destination has the guest: from here on it is never uncertain. */
    void toProvenPostcopy() throws Exception {
        toPostcopy();
        eventually("the source knows", () -> source.info().downtimeMillis() >= 0);
    }

    void fault(String plan) throws IOException {
        relay.setFault(FaultPlan.parse(plan));
    }

    /** Waits until the relay is empty and both ends have taken note of it: of connections not accepted yet, of what came on them, and of their end. */
    void quiet() {
        eventually("the relay is empty", () -> relay.stats().open() == 0);
        for (int turns = 0; turns < 8; turns++) {
            source.info();
            destination.info();
        }
    }

    /** A cut so early that nothing proves yet that the destination has the guest leaves the source uncertain: it recovers all the same. */
    void bothPaused() {
        src.await(MigrationStatus.POSTCOPY_PAUSED, MigrationStatus.UNCERTAIN);
        dst.await(MigrationStatus.POSTCOPY_PAUSED);
        guests.check();
    }

    void bothCompleted() {
        src.await(MigrationStatus.COMPLETED);
        dst.await(MigrationStatus.COMPLETED);
        guests.check();
    }

    /** A good path, all bandwidth: recovers, completes, and every page is right. */
    void recoverAndVerify() throws Exception {
        relay.setFault(FaultPlan.NONE);
        parameters(Pair::fast);
        source.migrate(target, true);
        bothCompleted();
        verifyDestination();
    }

    static void eventually(String what, BooleanSupplier met) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Diary.PATIENCE_SECONDS);
        while (!met.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waiting until " + what).isLessThan(end);
            LockSupport.parkNanos(300_000);
        }
    }

    static void pause(long millis) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (long left = millis; left > 0; left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(left));
        }
    }

    /** Stops the guest at the destination and compares every page. */
    void verifyDestination() throws Exception {
        verify(destination, destinationGuest);
    }

    /** Stops the guest at the source, where it is still or again, and compares every page. */
    void verifySource() throws Exception {
        verify(source, sourceGuest);
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
        assertThat(stopped.await(Diary.PATIENCE_SECONDS, TimeUnit.SECONDS))
                .as("the guest stops")
                .isTrue();
        Verification verification = guest.verify();
        assertThat(verification.ok()).as(verification.summary()).isTrue();
    }

    @Override
    public void close() throws IOException {
        try (source;
                destination;
                relay) {
            guests.check();
        }
        // Other tests may go on side by side with this one: theirs end, too.
        Set<Thread> began = threads();
        began.removeAll(before);
        eventually("all threads have ended", () -> began.stream().noneMatch(Thread::isAlive));
        sourceGuest.memory().close();
        destinationGuest.memory().close();
        try (var files = Files.list(folder)) {
            assertThat(files.toList()).as("nothing is left behind").isEmpty();
        }
        Files.delete(folder);
    }

    /** Threads that only a living endpoint, guest or relay may have. */
    static Set<Thread> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(Thread::isAlive)
                .filter(thread -> thread.getName().startsWith("godwit-")
                        || thread.getName().startsWith("churn-"))
                .collect(Collectors.toSet());
    }
}
