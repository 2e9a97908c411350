// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import java.util.Locale;

/** The two ends of the migration. */
public enum Side {
    SOURCE,
    DESTINATION;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
