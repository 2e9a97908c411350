// SPDX-License-Identifier: Apache-2.0

package io.godwit.qemu;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** The QEMUs that {@code bin/install-qemu} has recipes for, oldest first. */
public enum QemuVersion {
    V7_2("7.2"),
    V10_0("10.0"),
    V11_1("11.1");

    /** A machine type that all of them know. */
    public static final String COMMON_MACHINE = "pc-i440fx-7.2";

    private final String series;

    QemuVersion(String series) {
        this.series = series;
    }

    /** Where the programs are; the same place as in {@code bin/install-qemu}. */
    public static Path folder() {
        String set = System.getenv("GODWIT_QEMU");
        return set != null && !set.isEmpty() ? Path.of(set) : cache().resolve("qemu");
    }

    /** Where {@code bin/install-*} put things if nothing else is said. */
    public static Path cache() {
        String cache = System.getenv("XDG_CACHE_HOME");
        Path home =
                cache != null && !cache.isEmpty() ? Path.of(cache) : Path.of(System.getProperty("user.home"), ".cache");
        return home.resolve("godwit");
    }

    public static List<QemuVersion> present() {
        return List.of(values()).stream().filter(QemuVersion::isPresent).toList();
    }

    public Path program() {
        return folder().resolve("qemu-" + series);
    }

    public boolean isPresent() {
        return Files.isExecutable(program());
    }

    /** Passes the test over if this one is not there. */
    public QemuVersion need() {
        Assumptions.assumeTrue(isPresent(), () -> "no " + program() + ": run bin/install-qemu");
        return this;
    }

    /** Its newest machine type: what it gives to a guest by default, by its full name. */
    public String newestMachine() {
        return "pc-i440fx-" + series;
    }

    /** "7.2". */
    public String series() {
        return series;
    }

    @Override
    public String toString() {
        return series;
    }

    /**
     * From whom to whom a guest may go.
     *
     * @param machine one that both know
     */
    public record Pair(QemuVersion from, QemuVersion to, String machine) {
        /** Passes the test over if one of the two is not there. */
        public Pair need() {
            from.need();
            to.need();
            return this;
        }

        @Override
        public String toString() {
            return from + " to " + to + ", " + machine;
        }
    }

    /** From each to itself and to each newer one, with the newest machine type that both know. All versions, also absent ones: use {@link Pair#need}. */
    public static List<Pair> upgrades() {
        List<Pair> pairs = new ArrayList<>();
        for (QemuVersion from : values()) {
            for (QemuVersion to : values()) {
                if (to.compareTo(from) >= 0) {
                    pairs.add(new Pair(from, to, from.newestMachine()));
                }
            }
        }
        return pairs;
    }

    /** As {@link #upgrades}, and from each to each older one. */
    public static List<Pair> allPairs() {
        List<Pair> pairs = new ArrayList<>(upgrades());
        for (Pair up : upgrades()) {
            if (up.from() != up.to()) {
                pairs.add(new Pair(up.to(), up.from(), up.machine()));
            }
        }
        return pairs;
    }
}
