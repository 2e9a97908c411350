// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** Sections that come one by one are one run in the end, and their number costs nothing. */
class IncomingDevicesTest {
    private final IncomingDevices devices = new IncomingDevices();

    @Test
    void sectionsStandOneBehindTheOtherInTheOrderInWhichTheyCame() {
        devices.add(new byte[] {1, 2}, true);
        devices.add(new byte[] {3}, true);
        devices.add(new byte[] {4}, false);
        devices.add(new byte[] {5, 6}, false);

        assertThat(devices.state().early()).containsExactly(1, 2, 3);
        assertThat(devices.state().devices()).containsExactly(4, 5, 6);
        devices.add(new byte[] {7}, false);
        assertThat(devices.state().devices()).as("and more that come later").containsExactly(4, 5, 6, 7);
        assertThat(devices.state().all()).containsExactly(1, 2, 3, 4, 5, 6, 7);

        devices.reset();
        assertThat(devices.state().all()).as("another source begins").isEmpty();
    }

    /** By reflection: the core's module reads no management module, and need not for a test. */
    private static long allocatedBytes() throws ReflectiveOperationException {
        Object threads = Class.forName("java.lang.management.ManagementFactory")
                .getMethod("getThreadMXBean")
                .invoke(null);
        return (Long) Class.forName("com.sun.management.ThreadMXBean")
                .getMethod("getCurrentThreadAllocatedBytes")
                .invoke(threads);
    }

    @Test
    void aThousandSectionsCostTheirBytesAndOneMoreCopy() throws Exception {
        byte[] section = new byte[1_000];
        long before = allocatedBytes();

        for (int i = 0; i < 1_000; i++) {
            devices.add(section, i % 2 == 0);
        }
        assertThat(devices.state().all()).hasSize(1_000_000);
        devices.state();

        assertThat(allocatedBytes() - before)
                .as("bytes; 250 times as many if each section moved those before it")
                .isLessThan(5_000_000);
    }

    @Test
    void moreThanAnArrayHoldsIsNoNegativeLength() {
        byte[] section = new byte[1 << 24];
        for (int i = 0; i < 127; i++) {
            devices.add(section, false);
        }

        assertThatThrownBy(() -> devices.add(section, false)).isInstanceOf(ArithmeticException.class);
    }
}
