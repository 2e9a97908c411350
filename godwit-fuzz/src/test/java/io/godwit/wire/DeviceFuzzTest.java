// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Budget;
import io.godwit.fuzz.Pieces;
import java.util.Arrays;
import java.util.List;

/** Device state and its description. */
class DeviceFuzzTest {
    @FuzzTest
    void description(byte[] json) {
        Budget.holds(json.length, budget -> description(json, budget));
    }

    private static void description(byte[] json, Budget budget) {
        try {
            for (DescribedDevice device : DescribedDevice.parse(json, 0)) {
                budget.step();
                if (device.bodyBytes() < 0) {
                    throw new AssertionError(device.toString());
                }
            }
        } catch (WireException e) {
            inside(e, json.length);
        }
    }

    /** The first two bytes tell how many of the others are sections; the rest describes them. */
    @FuzzTest
    void cut(byte[] input) {
        Budget.holds(input.length, _ -> cutAsDescribed(input));
    }

    private static void cutAsDescribed(byte[] input) {
        byte[] rest = Pieces.rest(input, 2);
        int n = Math.min(rest.length, Pieces.control(input, 0) << 8 | Pieces.control(input, 1));
        byte[] devices = Arrays.copyOf(rest, n);
        try {
            covers(
                    DeviceSections.cut(devices, DescribedDevice.parse(Arrays.copyOfRange(rest, n, rest.length), 0)),
                    devices);
        } catch (WireException e) {
            inside(e, rest.length);
        }
    }

    @FuzzTest
    void scan(byte[] devices) {
        Budget.holds(devices.length, _ -> scanned(devices));
    }

    private static void scanned(byte[] devices) {
        try {
            covers(DeviceSections.scan(devices), devices);
        } catch (WireException e) {
            inside(e, devices.length);
        }
    }

    private static void inside(WireException e, int length) {
        if (e.offset() < 0 || e.offset() > length) {
            throw new AssertionError("an error outside of the " + length + " bytes", e);
        }
    }

    /** Each section stands where the one before ends, with its body as it is. */
    private static void covers(List<DeviceSectionBytes> sections, byte[] devices) {
        int at = 0;
        for (DeviceSectionBytes section : sections) {
            int body = at + 1 + 4 + 1 + (devices[at + 5] & 0xff) + 8;
            int end = body + section.body().length;
            if (!Arrays.equals(section.body(), 0, end - body, devices, body, end)) {
                throw new AssertionError("another body of '" + section.idstr() + "' at " + body);
            }
            at = end + WireFormat.FOOTER_SIZE;
        }
        if (at != devices.length) {
            throw new AssertionError(
                    sections.size() + " sections of " + at + " bytes, and there are " + devices.length);
        }
    }
}
