// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

/** What guest memory is made of. Either kind is zeroed and takes no room before it is touched. */
public enum Backing {
    /** Private anonymous memory. */
    ANONYMOUS,
    /** A nameless file in memory, mapped shared. */
    MEMFD
}
