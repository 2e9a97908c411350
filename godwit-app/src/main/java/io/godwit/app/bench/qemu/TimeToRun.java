// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import io.godwit.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How long until a VM runs again that lies on disk: {@code unpark}, against QEMU's own restore of the same VM from a file. And what it took to park it. */
final class TimeToRun {
    private static final String UNPARK = "unpark";
    private static final String FILE = "QEMU from a file";
    private static final String MAPPED = "QEMU, mapped-ram";

    private final Rig rig;
    private final Sheet sheet = new Sheet(UNPARK, FILE, MAPPED);

    TimeToRun(Rig rig) {
        this.rig = rig;
    }

    /** @param sizes of the VMs, in bytes; each holds up to 1 GiB of noise, the rest was never written */
    Sheet measure(long[] sizes, int runs) throws IOException, BenchFailed {
        for (long size : sizes) {
            String label = size % (1L << 30) == 0 ? (size >> 30) + " GiB" : (size >> 20) + " MiB";
            measure(size, label, runs);
        }
        return sheet;
    }

    private void measure(long size, String label, int runs) throws IOException, BenchFailed {
        rig.progress("time to run, " + label + ": saving");
        Path store = rig.store("restore");
        Path stream = rig.file("stream");
        Path mapped = rig.file("mapped");
        try {
            Noise noise = rig.noise(size);
            boolean mapping = save(size, label, noise, store, stream, mapped);
            for (int run = 1; run <= runs; run++) {
                rig.progress("time to run, " + label + " " + run + "/" + runs);
                unpark(size, label, store, noise);
                restore(FILE, size, label, "exec:cat " + stream, noise);
                if (mapping) {
                    restore(MAPPED, size, label, "file:" + mapped, noise);
                }
            }
        } finally {
            Rig.remove(store);
            Files.deleteIfExists(stream);
            Files.deleteIfExists(mapped);
        }
    }

    /** The same VM in all three forms; whether this QEMU knows the third. */
    private boolean save(long size, String label, Noise noise, Path store, Path stream, Path mapped)
            throws IOException, BenchFailed {
        try (Vm source = rig.running(size, noise)) {
            try (GodwitProcess park = rig.park(source, noise, store)) {
                double peak = park.usage().peakBytes() / (double) (1 << 20);
                sheet.add(label + ": park's peak, MiB", UNPARK, peak);
            }
            source.goOn();
            source.capabilities("events");
            toFile(source, "exec:cat > " + stream);
            boolean mapping =
                    source.order("query-migrate-capabilities").toString().contains("\"mapped-ram\"");
            if (mapping) {
                source.goOn();
                source.capabilities("events", "mapped-ram");
                toFile(source, "file:" + mapped);
            }
            return mapping;
        }
    }

    private static void toFile(Vm source, String uri) throws BenchFailed {
        source.log().clear();
        source.order("migrate", uri);
        source.log().await("completed");
    }

    private void unpark(long size, String label, Path store, Noise noise) throws IOException, BenchFailed {
        try (Vm destination = rig.waiting(size);
                GodwitProcess unpark = rig.unpark(
                        noise,
                        store,
                        rig.anywhere(),
                        "--qmp-peer",
                        destination.peer().toString())) {
            long run = destination.log().await("RESUME");
            sheet.add(label + ": until it runs, ms", UNPARK, millis(unpark.log().await("ready"), run));
            sheet.add(label + ": and with the program's start", UNPARK, millis(unpark.started(), run));
            unpark.awaitSuccess();
            sheet.add(
                    label + ": until all of it is there, ms",
                    UNPARK,
                    millis(unpark.log().await("ready"), unpark.log().await("completed")));
            noise.verify(destination);
        }
    }

    private void restore(String contender, long size, String label, String uri, Noise noise)
            throws IOException, BenchFailed {
        try (Vm destination = rig.waiting(size)) {
            if (contender.equals(MAPPED)) {
                destination.capabilities("events", "mapped-ram");
            } else {
                destination.capabilities("events");
            }
            rig.warm(noise.bytes()).close();
            long start = EventLog.now();
            destination.order(
                    "migrate-incoming", JsonObject.builder().put("uri", uri).build());
            double took = millis(start, destination.log().await("RESUME"));
            sheet.add(label + ": until it runs, ms", contender, took);
            sheet.add(label + ": until all of it is there, ms", contender, took);
            noise.verify(destination);
        }
    }

    private static double millis(long from, long to) {
        return (to - from) / 1e3;
    }
}
