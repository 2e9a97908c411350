// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.protocol.DestinationState.Active;
import io.godwit.protocol.DestinationState.Completed;
import io.godwit.protocol.DestinationState.Failed;
import io.godwit.protocol.DestinationState.Finishing;
import io.godwit.protocol.DestinationState.Held;
import io.godwit.protocol.DestinationState.Idle;
import io.godwit.protocol.DestinationState.Listening;
import io.godwit.protocol.DestinationState.Loading;
import io.godwit.protocol.DestinationState.Mending;
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
                    case Listening _,
                            Active _,
                            Loading _,
                            PostcopyActive _,
                            Finishing _,
                            Mending _,
                            Paused _,
                            Recover _,
                            Held _,
                            Completed _ ->
                        "an incoming migration has already been started; its state is " + state.status();
                };
            case DestinationInput.AwaitRecovery _ ->
                switch (state) {
                    case Paused _, Held _ -> null;
                    case Mending _, Loading _, Finishing _ ->
                        "the guest's storage is at work (" + state.status() + "): try again when it has ended";
                    case Idle _, Listening _, Active _, PostcopyActive _, Recover _, Completed _, Failed _ ->
                        "migrate-recover works at a destination in postcopy-paused; the state is " + state.status();
                };
            case DestinationInput.Pause _ ->
                switch (state) {
                    case PostcopyActive _, Recover _ -> null;
                    case Finishing _ ->
                        "everything has come, and the guest's storage makes sure of it: wait for its end";
                    case Idle _, Listening _, Active _, Loading _, Mending _, Paused _, Held _, Completed _, Failed _ ->
                        "migrate-pause works in postcopy-active and postcopy-recover; the state is " + state.status();
                };
            case DestinationInput.Revived _,
                    DestinationInput.MainOpened _,
                    DestinationInput.RecoveryOpened _,
                    DestinationInput.Received _,
                    DestinationInput.BitmapAsked _,
                    DestinationInput.Packaged _,
                    DestinationInput.Ended _,
                    DestinationInput.NothingMissing _,
                    DestinationInput.WorkDone _,
                    DestinationInput.WorkFailed _,
                    DestinationInput.StorageFailed _,
                    DestinationInput.Broken _,
                    DestinationInput.Tick _ -> null;
        };
    }
}
