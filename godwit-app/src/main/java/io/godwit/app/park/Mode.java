// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import io.godwit.peer.MigrationTerms;

/** How a VM travels. */
enum Mode {
    /** All of its memory first, then it. */
    PRECOPY,
    /** It first, then its memory. */
    POSTCOPY;

    MigrationTerms terms() {
        return switch (this) {
            case PRECOPY -> MigrationTerms.precopy();
            case POSTCOPY -> MigrationTerms.postcopy();
        };
    }
}
