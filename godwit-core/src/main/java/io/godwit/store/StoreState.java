// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Who may run the VM, as the manifest says it durably.
 *
 * <pre>
 *                precopy                      leave                gone
 *   Receiving ─────────────▶ Parked ◀──────────────────▶ Leaving ──────▶ Gone
 *     │  ▲ │  (nobody runs)  ▲   │ clone: stays   takeBack (proof         ▲
 *     │  └─┘ again           │   └──┐ parked      or an operator's word)  │
 *     │                      └──────┘                                     │
 *     │ handOver             ▲ confirm                                    │
 *     │                      │              disown (the source runs it)   │
 *     ├── precopy ──▶ ParkedUnconfirmed ──────────────────────────────────┘
 *     ▼                      ▲
 *   ReceivingPostcopy ───────┴─▶ Parked (its source is a Godwit)
 *     └─ disown ─▶ Gone
 * </pre>
 */
public sealed interface StoreState {
    /** As it stands in the manifest and in listings. */
    String word();

    /** A source sends or has sent, and owns the VM: what is here is of no value without it. A restart begins anew. */
    record Receiving() implements StoreState {
        @Override
        public String word() {
            return "receiving";
        }
    }

    /** The commit point is passed: the VM is this store's, pages are still coming. What is here exists nowhere else; a new process goes on by a recovery. */
    record ReceivingPostcopy() implements StoreState {
        @Override
        public String word() {
            return "receiving-postcopy";
        }
    }

    /** Complete, and nobody runs it. */
    record Parked() implements StoreState {
        @Override
        public String word() {
            return "parked";
        }
    }

    /** Complete, but the source may have resumed: it was not heard to have completed. */
    record ParkedUnconfirmed() implements StoreState {
        @Override
        public String word() {
            return "parked-unconfirmed";
        }
    }

    /**
     * The destination may run it. Only its completion, or proof that it never got it, ends this.
     *
     * @param confirmed whether the source it once came from was heard to have completed
     */
    record Leaving(Departure departure, boolean confirmed) implements StoreState {
        @Override
        public String word() {
            return "leaving";
        }
    }

    /**
     * It runs elsewhere; what is here is an old copy.
     *
     * @param departure null if it never left from here: the source had resumed it
     * @param reason how that is known
     */
    record Gone(@Nullable Departure departure, String reason) implements StoreState {
        @Override
        public String word() {
            return "gone";
        }
    }

    /**
     * A way out.
     *
     * @param to the destination's address, for the operator
     * @param peer the address of the destination's QMP, or null if nobody said: what a QEMU at another one says proves nothing of this
     * @param postcopy whether it leaves by postcopy, so that a recovery can go on; else by precopy
     * @param nonce the migration's number on the wire, {@link io.godwit.protocol.MigrationOptions#nonce}: a recovery by a new process says it again
     * @param at when it began
     */
    record Departure(String to, @Nullable String peer, boolean postcopy, int nonce, Instant at) {}

    /** Whether what is in the store exists nowhere else, or may. */
    default boolean holdsGuestData() {
        return switch (this) {
            case ReceivingPostcopy _, Parked _, ParkedUnconfirmed _, Leaving _ -> true;
            case Receiving _, Gone _ -> false;
        };
    }
}
