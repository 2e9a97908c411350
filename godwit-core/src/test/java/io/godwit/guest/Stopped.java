// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits, within reason, for what a guest does. */
final class Stopped {
    private Stopped() {}

    /** Stops the guest and waits until it has stopped. */
    static void stop(Guest guest) throws InterruptedException {
        CountDownLatch stopped = new CountDownLatch(1);
        guest.stop(stopped::countDown);
        assertThat(stopped.await(10, TimeUnit.SECONDS)).as("the guest stops").isTrue();
        assertThat(guest.isRunning()).isFalse();
    }

    static void until(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    /** Lets the guest run until every writer has finished so many sweeps, and stops it. */
    static void runSweeps(ChurnGuest guest, long sweeps) throws InterruptedException {
        guest.start();
        until(
                sweeps + " sweeps of each writer",
                () -> guest.stats().writers().stream().allMatch(writer -> writer.sweep() > sweeps));
        stop(guest);
    }
}
