// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

/** What a destination does with a page that comes now. */
public enum PageRule {
    /** None: one is an error of the peer. */
    NONE,
    /** Precopy: the later one wins. */
    STORE,
    /** Postcopy: a present one is never touched. */
    PLACE,
    /** Everything is here: whatever comes is a duplicate. */
    DROP
}
