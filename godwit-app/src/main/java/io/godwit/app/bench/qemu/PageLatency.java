// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** How long a page takes that a running guest lacks, one request at a time: served by a QEMU and by {@code unpark}, to the same {@link Probe}. */
final class PageLatency {
    private static final String QEMU = "QEMU";
    private static final String QEMU_PREEMPT = "QEMU, preempt";
    private static final String GODWIT = "unpark";
    private static final String GODWIT_PREEMPT = "unpark, preempt";
    private static final long PRECOPY = 64L << 20;
    private static final int MOST = 20_000;
    private static final int SECONDS = 5;

    private final Rig rig;
    private final long memory;
    private final long limit;
    private final Sheet sheet = new Sheet(QEMU, QEMU_PREEMPT, GODWIT, GODWIT_PREEMPT);

    /** @param limit of the background stream in bytes per second, 0 for none */
    PageLatency(Rig rig, long memory, long limit) {
        this.rig = rig;
        this.memory = memory;
        this.limit = limit;
    }

    Sheet measure(int runs) throws IOException, BenchFailed {
        Noise noise = rig.noise(memory);
        Path store = rig.store("latency");
        try (Vm source = rig.running(memory, noise)) {
            rig.park(source, noise, store).close();
            source.goOn();
            for (int run = 1; run <= runs; run++) {
                rig.progress("latency" + (limit > 0 ? ", limited " : " ") + run + "/" + runs);
                qemu(source, noise, false);
                godwit(store, noise, false);
                qemu(source, noise, true);
                godwit(store, noise, true);
            }
        } finally {
            Rig.remove(store);
        }
        return sheet;
    }

    private Probe.Plan plan(Noise noise) {
        long first = Noise.LOW >> io.godwit.page.Pages.SHIFT;
        long pages = rig.pages(noise);
        return new Probe.Plan(first, first + pages, 1, MOST, SECONDS, limit > 0 ? 0 : pages / 10);
    }

    private void qemu(Vm source, Noise noise, boolean preempt) throws IOException, BenchFailed {
        source.capabilities("events", "return-path", "postcopy-ram", preempt ? "postcopy-preempt" : "postcopy-ram");
        source.limits(PRECOPY, limit);
        source.log().clear();
        try (Probe probe = rig.probe()) {
            source.order("migrate", probe.address().toString());
            source.order("migrate-start-postcopy");
            probe.awaitPostcopy();
            Usage before = source.usage();
            long start = System.nanoTime();
            note(
                    preempt ? QEMU_PREEMPT : QEMU,
                    probe.measure(plan(noise)),
                    source.usage().since(before),
                    start);
            finish(source, probe);
            source.log().await("completed");
        }
        source.goOn();
    }

    /**
     * At full speed. The probe reads all the time: a QEMU that ends its stream holds the lock that its QMP needs, too, until what it writes has been taken, so who waits for an answer
     * and reads nothing meanwhile waits for ever (seen on 10.0).
     */
    private static void finish(Vm source, Probe probe) throws IOException, BenchFailed {
        FutureTask<Void> order = new FutureTask<>(() -> {
            source.limits(PRECOPY, 0);
            return null;
        });
        Thread.ofPlatform().daemon().name("godwit-bench-order").start(order);
        probe.finish();
        try {
            order.get();
        } catch (ExecutionException e) {
            Throwable why = Objects.requireNonNull(e.getCause());
            throw new BenchFailed("the limit could not be lifted: " + why.getMessage(), why);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts here", e);
        }
    }

    private void godwit(Path store, Noise noise, boolean preempt) throws IOException, BenchFailed {
        try (Probe probe = rig.probe();
                GodwitProcess unpark = rig.unpark(
                        noise,
                        store,
                        probe.address().toString(),
                        "--set-parameter",
                        "max-postcopy-bandwidth=" + limit,
                        "--set-capability",
                        "postcopy-preempt=" + (preempt ? "on" : "off"))) {
            probe.awaitPostcopy();
            Usage before = unpark.usage();
            long start = System.nanoTime();
            note(
                    preempt ? GODWIT_PREEMPT : GODWIT,
                    probe.measure(plan(noise)),
                    unpark.usage().since(before),
                    start);
        }
    }

    private void note(String contender, Probe.Sample sample, double cpuSeconds, long start) {
        sheet.add("p50 us", contender, sample.micros(0.5));
        sheet.add("p90 us", contender, sample.micros(0.9));
        sheet.add("p99 us", contender, sample.micros(0.99));
        sheet.add("requests", contender, sample.nanos().length);
        sheet.add("of them by a channel of their own", contender, (double) sample.preempted());
        sheet.add("all pages, MB/s", contender, sample.bytesPerSecond() / 1e6);
        sheet.add("source's share of a core", contender, cpuSeconds / ((System.nanoTime() - start) / 1e9));
    }
}
