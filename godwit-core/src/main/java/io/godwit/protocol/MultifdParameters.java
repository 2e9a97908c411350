// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.wire.MultifdCompression;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How pages travel on channels of their own, {@code spec/multifd.md}: both ends are set alike, but for what the source alone decides.
 *
 * @param channels multifd-channels, 1 to 255
 * @param compression multifd-compression
 * @param zlibLevel multifd-zlib-level, at the source
 * @param zstdLevel multifd-zstd-level, at the source
 * @param zeroPages zero-page-detection, at the source, with and without multifd
 * @param uuid ({@code x-godwit-multifd-uuid}) the guest's, by which each channel names it; null: at the source the one in the machine's configuration, or none;
 *     at a destination the same as that of any other channel, where the guest is known at all none
 */
public record MultifdParameters(
        int channels,
        MultifdCompression compression,
        int zlibLevel,
        int zstdLevel,
        ZeroPageDetection zeroPages,
        @Nullable UUID uuid) {
    /** QEMU's. */
    public static final MultifdParameters DEFAULT = new MultifdParameters(
            2,
            MultifdCompression.NONE,
            MultifdCompression.DEFAULT_LEVEL,
            MultifdCompression.DEFAULT_LEVEL,
            ZeroPageDetection.MULTIFD,
            null);

    /** The level of the compression. */
    public int level() {
        return switch (compression) {
            case NONE -> 0;
            case ZLIB -> zlibLevel;
            case ZSTD -> zstdLevel;
        };
    }

    public MultifdParameters withChannels(int count) {
        return new MultifdParameters(count, compression, zlibLevel, zstdLevel, zeroPages, uuid);
    }

    public MultifdParameters withCompression(MultifdCompression other) {
        return new MultifdParameters(channels, other, zlibLevel, zstdLevel, zeroPages, uuid);
    }

    public MultifdParameters withZlibLevel(int level) {
        return new MultifdParameters(channels, compression, level, zstdLevel, zeroPages, uuid);
    }

    public MultifdParameters withZstdLevel(int level) {
        return new MultifdParameters(channels, compression, zlibLevel, level, zeroPages, uuid);
    }

    public MultifdParameters withZeroPages(ZeroPageDetection other) {
        return new MultifdParameters(channels, compression, zlibLevel, zstdLevel, other, uuid);
    }

    public MultifdParameters withUuid(@Nullable UUID other) {
        return new MultifdParameters(channels, compression, zlibLevel, zstdLevel, zeroPages, other);
    }
}
