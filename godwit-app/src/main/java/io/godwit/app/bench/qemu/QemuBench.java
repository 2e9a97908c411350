// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import io.godwit.app.vm.Emulator;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** All measurements against one QEMU, one after the other, each with its contenders in turn. */
public final class QemuBench {
    /** The smallest guest: the firmware and a little noise. */
    public static final long SMALLEST = 32L << 20;

    private static final long LIMIT = 50L << 20;

    /**
     * How it is measured.
     *
     * @param size of the smallest guest, in bytes; the others have 4 and 16 times as much
     * @param place in which a folder is made, and removed in the end, for parked VMs and migration files
     * @param tcp over loopback tcp, else over unix sockets
     * @param prealloc the destination's memory is there before anything is measured
     */
    public record Setting(
            Emulator program, long size, int runs, Path place, boolean tcp, boolean prealloc, long seed) {}

    private enum Part {
        THROUGHPUT("precopy of incompressible memory; MB/s of it, [times the first column]") {
            @Override
            Sheet measure(Rig rig, Setting setting) throws IOException, BenchFailed {
                return new Throughput(rig, setting.size(), false).measure(setting.runs());
            }
        },
        MULTIFD("the same with multifd, two channels of pages") {
            @Override
            Sheet measure(Rig rig, Setting setting) throws IOException, BenchFailed {
                return new Throughput(rig, setting.size(), true).measure(setting.runs());
            }
        },
        ALONE("each end by itself: a source into nothing, a destination from a recorded stream") {
            @Override
            Sheet measure(Rig rig, Setting setting) throws IOException, BenchFailed {
                return new Alone(rig, setting.size()).measure(setting.runs());
            }
        },
        TIME_TO_RUN("a VM on disk runs again, [times the first column]") {
            @Override
            Sheet measure(Rig rig, Setting setting) throws IOException, BenchFailed {
                long[] sizes = {setting.size(), 4 * setting.size(), 16 * setting.size()};
                return new TimeToRun(rig).measure(sizes, setting.runs());
            }
        },
        LATENCY("a missing page is asked for, under the full background stream") {
            @Override
            Sheet measure(Rig rig, Setting setting) throws IOException, BenchFailed {
                return new PageLatency(rig, setting.size(), 0).measure(setting.runs());
            }
        },
        LATENCY_LIMITED("the same under a limit of 50 MiB/s, about 1 ms between two requests") {
            @Override
            Sheet measure(Rig rig, Setting setting) throws IOException, BenchFailed {
                return new PageLatency(rig, setting.size(), LIMIT).measure(setting.runs());
            }
        };

        private final String title;

        Part(String title) {
            this.title = title;
        }

        abstract Sheet measure(Rig rig, Setting setting) throws IOException, BenchFailed;

        String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private QemuBench() {}

    /** Whether one of the measurements begins so. */
    public static boolean knows(String word) {
        return List.of(Part.values()).stream().anyMatch(part -> part.word().startsWith(word));
    }

    /**
     * Measures and prints.
     *
     * @param words beginnings of the measurements' names; all for none
     * @param progress is told what goes on
     */
    public static void run(Setting setting, List<String> words, boolean json, PrintWriter out, PrintWriter progress)
            throws IOException, BenchFailed {
        Map<String, Json> all = new LinkedHashMap<>();
        try (Rig rig = new Rig(setting, progress::println)) {
            if (!json) {
                out.println("QEMU %s and godwit park/unpark, %s, %d MiB guest%s, medians of %d (least..greatest)"
                        .formatted(
                                setting.program().series(),
                                setting.tcp() ? "tcp" : "unix",
                                setting.size() >> 20,
                                setting.prealloc() ? ", a destination's memory preallocated" : "",
                                setting.runs()));
            }
            for (Part part : Part.values()) {
                if (words.isEmpty() || words.stream().anyMatch(part.word()::startsWith)) {
                    double before = load();
                    Sheet sheet = part.measure(rig, setting);
                    all.put(part.word(), sheet.json());
                    if (!json) {
                        out.println();
                        out.println(String.format(
                                Locale.ROOT,
                                "%s: %s; the machine's load was %.1f before and %.1f after",
                                part.word(),
                                part.title,
                                before,
                                load()));
                        out.print(sheet.table());
                        out.flush();
                    }
                }
            }
        }
        if (json) {
            out.println(new JsonObject(all));
        }
        out.flush();
    }

    private static double load() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }
}
