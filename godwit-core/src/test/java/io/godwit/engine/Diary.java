// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.protocol.MigrationStatus;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** What one side said, in order. Written by its loop, read by the test. */
final class Diary implements EndpointListener {
    static final long PATIENCE_SECONDS = 30;

    final String who;
    final List<String> lines = new CopyOnWriteArrayList<>();
    private final Object monitor = new Object();
    private MigrationStatus status = MigrationStatus.NONE;
    private long statusAt;
    private volatile @Nullable Diary other;

    Diary(String who) {
        this.who = who;
    }

    @Override
    public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
        lines.add(to + " (" + reason + ")");
        synchronized (monitor) {
            status = to;
            statusAt = System.nanoTime();
            monitor.notifyAll();
        }
    }

    @Override
    public void notice(String text) {
        add("! " + text);
    }

    @Override
    public void guestStopped() {
        add("STOP");
    }

    @Override
    public void guestResumed() {
        add("RESUME");
    }

    private void add(String line) {
        lines.add(line);
        synchronized (monitor) {
            monitor.notifyAll();
        }
    }

    MigrationStatus status() {
        synchronized (monitor) {
            return status;
        }
    }

    /** When the present status began, {@link System#nanoTime}. */
    long statusAt() {
        synchronized (monitor) {
            return statusAt;
        }
    }

    List<String> states() {
        return lines.stream()
                .filter(l -> !l.startsWith("!"))
                .map(l -> l.replaceAll(" \\(.*", ""))
                .toList();
    }

    List<String> notices() {
        return lines.stream()
                .filter(l -> l.startsWith("!"))
                .map(l -> l.substring(2))
                .toList();
    }

    /** Waits until the status has been that at some time. */
    void awaitLine(String status) {
        await(() -> states().contains(status), status);
    }

    void awaitNotice(String part) {
        await(() -> notices().stream().anyMatch(n -> n.contains(part)), "a notice with '" + part + "'");
    }

    MigrationStatus await(MigrationStatus... wanted) {
        await(() -> Arrays.asList(wanted).contains(status), Arrays.toString(wanted));
        return status();
    }

    private void await(BooleanSupplier met, String wanted) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        synchronized (monitor) {
            while (!met.getAsBoolean()) {
                long left = end - System.nanoTime();
                assertThat(left).as("%s waits for %s: %s", who, wanted, both()).isPositive();
                try {
                    TimeUnit.NANOSECONDS.timedWait(monitor, left);
                } catch (InterruptedException e) {
                    throw new AssertionError(who + " waited for " + wanted + " in vain: " + both(), e);
                }
            }
        }
    }

    /** What the other end said helps to see why this one does not say what is waited for. */
    void readWith(Diary peer) {
        other = peer;
    }

    private String both() {
        Diary peer = other;
        return peer == null ? toString() : this + "; " + peer;
    }

    @Override
    public String toString() {
        return who + ": " + lines;
    }
}
