// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.MigrationInfo;
import io.godwit.guest.ChurnOptions;
import io.godwit.protocol.Capability;
import io.godwit.protocol.Parameters;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;

/** The migrations that are measured, each with the figures it yields; the same cases as in QEMU's own table. */
enum Scenario {
    PRECOPY_IDLE("precopy, idle guest, incompressible") {
        @Override
        Map<String, Double> run(Setting setting) throws IOException, CommandRefused {
            return precopy(setting, ChurnOptions.idle(setting.size()).withShares(0, 100), 300);
        }
    },
    PRECOPY_BUSY("precopy, busy guest") {
        @Override
        Map<String, Double> run(Setting setting) throws IOException, CommandRefused {
            return precopy(setting, busy(setting), 300);
        }
    },
    PRECOPY_ZERO("precopy, zero memory") {
        @Override
        Map<String, Double> run(Setting setting) throws IOException, CommandRefused {
            return precopy(setting, ChurnOptions.idle(setting.size()).withShares(0, 0), 300);
        }
    },
    POSTCOPY_BUSY("postcopy, busy guest, unlimited") {
        @Override
        Map<String, Double> run(Setting setting) throws IOException, CommandRefused {
            return postcopy(setting, busy(setting).withReaders(1, 0), false, 0);
        }
    },
    POSTCOPY_BUSY_PREEMPT("the same with preempt") {
        @Override
        Map<String, Double> run(Setting setting) throws IOException, CommandRefused {
            return postcopy(setting, busy(setting).withReaders(1, 0), true, 0);
        }
    },
    POSTCOPY_LIMITED("postcopy limited to 50 MiB/s, a touch about every ms") {
        @Override
        Map<String, Double> run(Setting setting) throws IOException, CommandRefused {
            return postcopy(setting, paced(setting), false, 50L << 20);
        }
    },
    POSTCOPY_LIMITED_PREEMPT("the same with preempt") {
        @Override
        Map<String, Double> run(Setting setting) throws IOException, CommandRefused {
            return postcopy(setting, paced(setting), true, 50L << 20);
        }
    },
    RECOVERY("recovery after a cut, busy guest") {
        @Override
        Map<String, Double> run(Setting setting) throws IOException, CommandRefused {
            return recovery(setting);
        }
    };

    private static final double MILLI = 1e6;
    private static final long LIMITED_NANOS = 3_000_000_000L;

    /**
     * How the scenarios are run.
     *
     * @param size bytes of guest memory
     * @param tcp over loopback tcp, else over unix sockets
     */
    record Setting(long size, boolean tcp, long seed) {}

    private final String title;

    Scenario(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    /** Runs it once; figures by name, units in the names. */
    abstract Map<String, Double> run(Setting setting) throws IOException, CommandRefused;

    private static ChurnOptions busy(Setting setting) {
        return ChurnOptions.of(setting.size()).withSeed(setting.seed());
    }

    private static ChurnOptions paced(Setting setting) {
        return ChurnOptions.idle(setting.size())
                .withShares(0, 100)
                .withReaders(1, 1000)
                .withSeed(setting.seed());
    }

    private static Collection<Capability> capabilities(boolean postcopy, boolean preempt) {
        EnumSet<Capability> on = EnumSet.of(Capability.RETURN_PATH);
        if (postcopy) {
            on.add(Capability.POSTCOPY_RAM);
        }
        if (preempt) {
            on.add(Capability.POSTCOPY_PREEMPT);
        }
        return on;
    }

    private static UnaryOperator<Parameters> limits(long bandwidth, long postcopyBandwidth, long downtimeMillis) {
        return p -> new Parameters(
                bandwidth,
                postcopyBandwidth,
                downtimeMillis,
                p.availSwitchoverBandwidth(),
                p.handshakeTimeoutMillis(),
                p.livenessTimeoutMillis(),
                p.pingIntervalMillis());
    }

    private static Map<String, Double> precopy(Setting setting, ChurnOptions guest, long downtime)
            throws IOException, CommandRefused {
        try (Trial trial = new Trial(guest, setting.tcp(), false, capabilities(false, false), limits(0, 0, downtime))) {
            long begun = System.nanoTime();
            long sourceCpu = trial.sourceCpu();
            long destinationCpu = trial.destinationCpu();
            trial.migrate(false);
            long ended = trial.sourceClock.await("completed");
            MigrationInfo info = trial.source.info();
            double gib = setting.size() / (double) (1L << 30);
            Map<String, Double> figures = new LinkedHashMap<>();
            figures.put("total ms", (ended - begun) / MILLI);
            figures.put("RAM MB/s", setting.size() / 1e6 / ((ended - begun) / 1e9));
            figures.put(
                    "blackout ms", (trial.destinationClock.await("RESUME") - trial.sourceClock.await("STOP")) / MILLI);
            figures.put("passes", (double) info.ram().dirtySyncCount());
            figures.put("source CPU s/GiB", (trial.sourceCpu() - sourceCpu) / 1e9 / gib);
            figures.put("destination CPU s/GiB", (trial.destinationCpu() - destinationCpu) / 1e9 / gib);
            trial.verify();
            return figures;
        }
    }

    private static Map<String, Double> postcopy(Setting setting, ChurnOptions guest, boolean preempt, long limit)
            throws IOException, CommandRefused {
        try (Trial trial =
                new Trial(guest, setting.tcp(), false, capabilities(true, preempt), limits(64L << 20, limit, 300))) {
            trial.migrate(false);
            trial.sourceClock.await("active");
            trial.source.migrateStartPostcopy();
            long active = trial.sourceClock.await("postcopy-active");
            Map<String, Double> figures = new LinkedHashMap<>();
            if (limit > 0) {
                long cpu = trial.sourceCpu();
                parkUntil(active + LIMITED_NANOS);
                figures.put(
                        "source CPU share of a core",
                        (trial.sourceCpu() - cpu) / (double) (System.nanoTime() - active));
                latencies(trial, figures);
                trial.parameters(limits(0, 0, 300));
            }
            long ended = trial.sourceClock.await("completed");
            if (limit == 0) {
                figures.put("postcopy phase s", (ended - active) / 1e9);
                latencies(trial, figures);
            }
            figures.put(
                    "blackout ms", (trial.destinationClock.await("RESUME") - trial.sourceClock.await("STOP")) / MILLI);
            trial.verify();
            return figures;
        }
    }

    private static void latencies(Trial trial, Map<String, Double> figures) {
        MigrationInfo.Requests requests = trial.destination.info().requests();
        figures.put("page waits", (double) requests.count());
        figures.put("p50 us", requests.p50Nanos() / 1e3);
        figures.put("p90 us", requests.p90Nanos() / 1e3);
        figures.put("p99 us", requests.p99Nanos() / 1e3);
        figures.put("mean us", requests.meanNanos() / 1e3);
    }

    private static Map<String, Double> recovery(Setting setting) throws IOException, CommandRefused {
        try (Trial trial = new Trial(
                busy(setting), setting.tcp(), true, capabilities(true, false), limits(64L << 20, 24L << 20, 300))) {
            trial.migrate(false);
            trial.sourceClock.await("active");
            trial.source.migrateStartPostcopy();
            trial.sourceClock.await("postcopy-active");
            parkUntil(trial.destinationClock.await("postcopy-active") + LIMITED_NANOS / 6);
            long cut = System.nanoTime();
            trial.cut();
            Map<String, Double> figures = new LinkedHashMap<>();
            figures.put("cut to paused, source ms", (trial.sourceClock.await("postcopy-paused") - cut) / MILLI);
            figures.put(
                    "cut to paused, destination ms", (trial.destinationClock.await("postcopy-paused") - cut) / MILLI);
            trial.sourceClock.clear();
            trial.parameters(limits(0, 0, 300));
            long resumed = System.nanoTime();
            trial.migrate(true);
            figures.put("resume to active ms", (trial.sourceClock.await("postcopy-active") - resumed) / MILLI);
            figures.put("resume to completed ms", (trial.sourceClock.await("completed") - resumed) / MILLI);
            trial.verify();
            return figures;
        }
    }

    /** Lets the measured time pass. */
    private static void parkUntil(long time) {
        long left;
        while ((left = time - System.nanoTime()) > 0) {
            LockSupport.parkNanos(left);
        }
    }

    /** The scenarios whose names begin like one of the words; all for no words. */
    static List<Scenario> chosen(List<String> words) {
        List<Scenario> chosen = new ArrayList<>();
        for (Scenario scenario : values()) {
            if (words.isEmpty()
                    || words.stream().anyMatch(word -> scenario.word().startsWith(word))) {
                chosen.add(scenario);
            }
        }
        return chosen;
    }

    /** Its name on the command line. */
    String word() {
        return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
