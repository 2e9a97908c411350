// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Precopy of memory that nothing helps with: QEMU to QEMU, QEMU to {@code park}, and from there by {@code unpark} to QEMU. */
final class Throughput {
    private static final String DIRECT = "QEMU -> QEMU";
    private static final String IN = "QEMU -> park";
    private static final String OUT = "unpark -> QEMU";

    private final Rig rig;
    private final long memory;
    private final boolean multifd;
    private final Sheet sheet = new Sheet(DIRECT, IN, OUT);

    /** @param multifd pages on channels of their own, as many as QEMU takes by itself: two */
    Throughput(Rig rig, long memory, boolean multifd) {
        this.rig = rig;
        this.memory = memory;
        this.multifd = multifd;
    }

    /** The three in turn, so that what else the machine does hits all of them. */
    Sheet measure(int runs) throws IOException, BenchFailed {
        Noise noise = rig.noise(memory);
        Path store = rig.store("throughput");
        try (Vm source = rig.running(memory, noise)) {
            for (int run = 1; run <= runs; run++) {
                rig.progress((multifd ? "multifd " : "throughput ") + run + "/" + runs);
                direct(source, noise);
                in(source, noise, store);
                out(store, noise);
                Rig.remove(store);
            }
        } finally {
            Rig.remove(store);
        }
        return sheet;
    }

    private void direct(Vm source, Noise noise) throws IOException, BenchFailed {
        try (Vm destination = rig.waiting(memory)) {
            source.capabilities(capabilities());
            destination.capabilities(capabilities());
            String to = rig.listen(destination);
            source.log().clear();
            rig.warm(noise.bytes()).close();
            Usage sender = source.usage();
            Usage receiver = destination.usage();
            source.order("migrate", to);
            long run = destination.log().await("RESUME");
            fromQemu(DIRECT, source, noise, sender);
            sheet.add("until it runs, MB/s", DIRECT, rate(noise, source.log().await("setup"), run));
            sheet.add("receiver CPU s/GiB", DIRECT, destination.usage().since(receiver) / noise.gib());
            sheet.add("receiver's peak, MiB", DIRECT, mib(destination.usage()));
            noise.verify(destination);
        }
        source.goOn();
    }

    private String[] capabilities() {
        return multifd ? new String[] {"events", "return-path", "multifd"} : new String[] {"events", "return-path"};
    }

    /** For a park or an unpark, which tells its QEMU. */
    private String[] more(String... words) {
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(multifd ? List.of("--set-capability", "multifd=on") : List.of());
        return all.toArray(String[]::new);
    }

    private void in(Vm source, Noise noise, Path store) throws IOException, BenchFailed {
        source.log().clear();
        Usage sender = source.usage();
        try (GodwitProcess park = rig.park(source, noise, store, more())) {
            fromQemu(IN, source, noise, sender);
            sheet.add("receiver CPU s/GiB", IN, park.usage().since(park.atReady()) / noise.gib());
            sheet.add("receiver's start, CPU s", IN, park.atReady().cpuSeconds());
            sheet.add("receiver's peak, MiB", IN, mib(park.usage()));
        }
        source.goOn();
    }

    private void fromQemu(String contender, Vm source, Noise noise, Usage before) throws BenchFailed {
        long setup = source.log().await("setup");
        long completed = source.log().await("completed");
        sheet.add(
                "until it stops, MB/s",
                contender,
                rate(noise, setup, source.log().await("STOP")));
        sheet.add("until confirmed, MB/s", contender, rate(noise, setup, completed));
        sheet.add("sender CPU s/GiB", contender, source.usage().since(before) / noise.gib());
    }

    private void out(Path store, Noise noise) throws IOException, BenchFailed {
        try (Vm destination = rig.waiting(memory)) {
            Usage receiver = destination.usage();
            try (GodwitProcess unpark = rig.unpark(
                    noise,
                    store,
                    rig.anywhere(),
                    more(
                            "--mode",
                            "precopy",
                            "--set-parameter",
                            "max-bandwidth=0",
                            "--qmp-peer",
                            destination.peer().toString()))) {
                long run = destination.log().await("RESUME");
                long setup = unpark.log().await("setup");
                long completed = unpark.log().await("completed");
                sheet.add("until it runs, MB/s", OUT, rate(noise, setup, run));
                sheet.add("until confirmed, MB/s", OUT, rate(noise, setup, completed));
                sheet.add("sender CPU s/GiB", OUT, unpark.usage().since(unpark.atReady()) / noise.gib());
                sheet.add("receiver CPU s/GiB", OUT, destination.usage().since(receiver) / noise.gib());
                unpark.awaitSuccess();
            }
            noise.verify(destination);
        }
    }

    private static double rate(Noise noise, long from, long to) {
        return noise.bytes() / (double) Math.max(1, to - from);
    }

    private static double mib(Usage usage) {
        return usage.peakBytes() / (double) (1 << 20);
    }
}
