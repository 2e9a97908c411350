// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

/** The guest that an outgoing migration sends. Called on the migration's loop only. */
public interface OutgoingGuest {
    StreamIdentity identity();

    PageSource memory();

    /** FULL sections that have to stand before the START of "ram"; mostly none. */
    byte[] early();
}
