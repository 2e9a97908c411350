// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/** Pages whose bytes follow from a number, so that a test needs to remember the number only; 0 is the page of zeroes. */
final class TestPages {
    private TestPages() {}

    static ByteBuffer of(long number) {
        byte[] bytes = new byte[Pages.SIZE];
        if (number != 0) {
            new SplittableRandom(number).nextBytes(bytes);
        }
        return ByteBuffer.wrap(bytes);
    }
}
