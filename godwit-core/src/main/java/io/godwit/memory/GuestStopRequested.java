// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

/**
 * Unwinds a guest's thread that would have to wait for a missing page while the guest is asked to stop. Nothing was read or written by the
 * accessor that threw it: the thread touches the page again after the guest's next start. Not an error, so it has no stack trace.
 */
public final class GuestStopRequested extends RuntimeException {
    private static final long serialVersionUID = 1;

    GuestStopRequested() {
        super("the guest is asked to stop", null, false, false);
    }
}
