// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import java.util.List;

/**
 * What is known of a {@link ChurnGuest} once it is configured: here, or by the device state that came.
 *
 * @param damagesBefore damages that it met on other hosts
 */
record ChurnSetup(
        ChurnOptions options, ChurnLayout layout, ChurnPages pages, List<ChurnWriter> writers, long damagesBefore) {}
