// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Whether a VM may be unparked. */
final class Leave {
    private Leave() {}

    /** Why not, as a sentence, or null. */
    static @Nullable String refusal(Manifest manifest, Path folder, boolean evenUnconfirmed) {
        return switch (manifest.state()) {
            case StoreState.Parked _ -> null;
            case StoreState.ParkedUnconfirmed _ ->
                evenUnconfirmed
                        ? null
                        : "the VM in " + folder
                                + " is parked, but its source was not heard to have completed and may have"
                                + " resumed it; see to the source, then confirm it, or say explicitly that it is to be unparked"
                                + " all the same";
            case StoreState.Receiving _ ->
                "the VM in " + folder + " was never received whole; it is still its source's";
            case StoreState.ReceivingPostcopy _ ->
                "the VM in " + folder + " is not whole yet; recover its reception first";
            case StoreState.Leaving(StoreState.Departure departure, boolean _) ->
                "the VM in " + folder + " is leaving to " + departure.to() + " since " + departure.at()
                        + " and may run there; go on with that one, or, if it is certain that it never got there, take it back";
            case StoreState.Gone(StoreState.Departure departure, String reason) ->
                "the VM in " + folder + " is gone" + (departure == null ? "" : " to " + departure.to()) + " (" + reason
                        + "): what is here is an old copy";
        };
    }
}
