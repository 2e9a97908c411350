// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

/** What reaches the command's thread. */
sealed interface Happening {
    /** The migration's status changed: it is to be looked at. */
    record Changed() implements Happening {}

    /** Ctrl-C or the like. */
    record Signalled(String name) implements Happening {}
}
