// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

/**
 * The most that is taken from a peer. Buffers grow with what has really arrived, never by an announced size alone.
 *
 * @param maxPackagedBytes longest PACKAGED blob, bytes
 * @param maxDeviceBytes most bytes of all device sections that come before the END of ram, and longest run of those behind it
 * @param maxVmDescriptionBytes longest vmdesc, bytes
 * @param maxBlocks most RAM blocks
 * @param maxRamBytes most bytes in all RAM blocks together
 */
public record StreamLimits(
        int maxPackagedBytes, int maxDeviceBytes, int maxVmDescriptionBytes, int maxBlocks, long maxRamBytes) {
    /** 256 MiB for a blob and for devices, 64 MiB of vmdesc, 1024 blocks, 64 TiB of RAM. */
    public static final StreamLimits DEFAULT = new StreamLimits(256 << 20, 256 << 20, 64 << 20, 1024, 1L << 46);

    public StreamLimits {
        if (maxPackagedBytes < 0
                || maxDeviceBytes < 0
                || maxVmDescriptionBytes < 0
                || (long) maxDeviceBytes + maxVmDescriptionBytes > 1 << 30
                || maxPackagedBytes > 1 << 30
                || maxBlocks < 1
                || maxRamBytes < 1
                || maxRamBytes > 1L << 48) {
            throw new IllegalArgumentException("limits are positive, of bytes held at most 2^30, of RAM at most 2^48");
        }
    }
}
