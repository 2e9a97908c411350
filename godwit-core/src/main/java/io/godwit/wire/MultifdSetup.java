// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a destination expects of each multifd channel; the channels do not say it, both ends are set to the same ({@code spec/multifd.md}).
 *
 * @param uuid the guest's UUID here; {@link MultifdMessage.Init#NO_UUID} if it has none; null if it is not known here: any is taken
 * @param channels how many channels there are, 1 to 255: parameter multifd-channels
 * @param compression parameter multifd-compression
 */
public record MultifdSetup(@Nullable UUID uuid, int channels, MultifdCompression compression) {
    /** Most channels. */
    public static final int MAX_CHANNELS = 255;

    public MultifdSetup {
        if (channels < 1 || channels > MAX_CHANNELS) {
            throw new IllegalArgumentException("multifd-channels is 1 to " + MAX_CHANNELS + ", got " + channels);
        }
    }
}
