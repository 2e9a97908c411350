// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a QEMU's events and answers have told since the first connection.
 *
 * @param ran whether the guest was seen to run here: a RESUME event, or a state that said so
 * @param gaps whether a connection was lost and another one came, so that events may be missing
 * @param goodbye the reason of a SHUTDOWN event, if there was one: the process ends by its own will
 * @param words the last events, oldest first: names, and the status of MIGRATION events
 */
public record PeerHistory(
        boolean ran, boolean gaps, @Nullable String goodbye, List<String> words) {
    public PeerHistory {
        words = List.copyOf(words);
    }
}
