// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import io.godwit.protocol.DestinationState;
import io.godwit.protocol.SourceState;

/** In which states a side may hold a channel: who is paused, or at an end, holds none. What the simulator and the model checker look for, so not taken from the machines. */
public final class ChannelHolders {
    private ChannelHolders() {}

    public static boolean mayHold(SourceState source) {
        return switch (source) {
            case SourceState.Setup _,
                    SourceState.Active _,
                    SourceState.Stopping _,
                    SourceState.PreSwitchover _,
                    SourceState.Flushing _,
                    SourceState.AwaitingShut _,
                    SourceState.PostcopyActive _,
                    SourceState.RecoverSetup _,
                    SourceState.Recover _,
                    SourceState.Held _ -> true;
            case SourceState.Idle _,
                    SourceState.Paused _,
                    SourceState.Uncertain _,
                    SourceState.Completed _,
                    SourceState.Failed _,
                    SourceState.Cancelled _ -> false;
        };
    }

    public static boolean mayHold(DestinationState destination) {
        return switch (destination) {
            case DestinationState.Active _,
                    DestinationState.PostcopyActive _,
                    DestinationState.Recover _,
                    DestinationState.Held _ -> true;
            case DestinationState.Loading loading -> loading.channel();
            case DestinationState.Finishing(boolean channel) -> channel;
            case DestinationState.Completed completed -> completed.answering();
            case DestinationState.Idle _,
                    DestinationState.Listening _,
                    DestinationState.Mending _,
                    DestinationState.Paused _,
                    DestinationState.Failed _ -> false;
        };
    }
}
