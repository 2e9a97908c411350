// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.protocol.DestinationState.Active;
import io.godwit.protocol.DestinationState.Completed;
import io.godwit.protocol.DestinationState.Failed;
import io.godwit.protocol.DestinationState.Idle;
import io.godwit.protocol.DestinationState.Listening;
import io.godwit.protocol.DestinationState.Paused;
import io.godwit.protocol.DestinationState.PostcopyActive;
import io.godwit.protocol.DestinationState.Recover;
import org.jspecify.annotations.Nullable;

/** Which operator's word is refused in which state of a destination, and why: the conditions of {@code spec/qmp.md §2.1}, the sentences are ours. */
final class DestinationRefusals {
    private DestinationRefusals() {}

    static @Nullable String refuse(DestinationInput input, DestinationState state, boolean ran) {
        return switch (input) {
            case DestinationInput.Incoming _ ->
                switch (state) {
                    case Idle _, Failed _ -> ran ? "the guest is already here" : null;
                    case Listening _, Active _, PostcopyActive _, Paused _, Recover _, Completed _ ->
                        "an incoming migration has already been started; its state is " + state.status();
                };
            case DestinationInput.Pause _ ->
                switch (state) {
                    case PostcopyActive _, Recover _ -> null;
                    case Idle _, Listening _, Active _, Paused _, Completed _, Failed _ ->
                        "migrate-pause works in postcopy-active and postcopy-recover; the state is " + state.status();
                };
            case DestinationInput.MainOpened _,
                    DestinationInput.RecoveryOpened _,
                    DestinationInput.Received _,
                    DestinationInput.BitmapAsked _,
                    DestinationInput.Packaged _,
                    DestinationInput.Ended _,
                    DestinationInput.NothingMissing _,
                    DestinationInput.Loaded _,
                    DestinationInput.LoadFailed _,
                    DestinationInput.Broken _,
                    DestinationInput.Tick _ -> null;
        };
    }
}
