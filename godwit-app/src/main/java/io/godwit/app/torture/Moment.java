// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import java.util.Locale;

/** When a blow comes, in the order of a migration. */
enum Moment {
    /** The source has been told to migrate. */
    SETUP,
    /** Precopy: pages are sent while the guest runs at the source. */
    ACTIVE,
    /** The guest changes sides: right after migrate-start-postcopy, or when precopy may send all that is left. */
    SWITCH,
    /** The guest runs at the destination, pages follow. */
    POSTCOPY,
    /** Both ends are paused. */
    PAUSED,
    /** A recovery has begun. */
    RECOVER;

    boolean isPrecopy() {
        return compareTo(SWITCH) <= 0;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
