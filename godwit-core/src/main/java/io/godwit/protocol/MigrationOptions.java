// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What both ends agreed on before a migration began; fixed for its whole life.
 *
 * @param returnPath the destination answers on the main channel
 * @param postcopy the switch to postcopy is possible; implies the return path
 * @param preempt requested pages travel on a channel of their own; implies postcopy
 * @param pauseBeforeSwitchover the source waits for migrate-continue once its guest is stopped
 * @param switchoverAck the source may not switch over before SWITCHOVER_ACK
 * @param blocks number of RAM blocks, at the source; a destination learns it and has 0
 * @param xbzrle pages may be sent as the difference to what was sent of them before
 * @param compress the destination takes pages that QEMU up to 9.0 has compressed; nothing is sent so
 * @param multifd in precopy pages travel on channels of their own, set up so; null if they don't
 * @param zeroPages how the source finds pages that are all zero
 * @param nonce 16 random bits that name this migration in the source's keep-alive PINGs ({@link Wire#keepAlive})
 */
public record MigrationOptions(
        boolean returnPath,
        boolean postcopy,
        boolean preempt,
        boolean pauseBeforeSwitchover,
        boolean switchoverAck,
        boolean xbzrle,
        boolean compress,
        @Nullable MultifdParameters multifd,
        ZeroPageDetection zeroPages,
        int blocks,
        int nonce) {

    public MigrationOptions {
        returnPath = returnPath || postcopy;
        if (preempt && !postcopy) {
            throw new IllegalArgumentException("postcopy-preempt needs postcopy-ram");
        }
        if (multifd != null && (xbzrle || compress)) {
            throw new IllegalArgumentException("multifd carries whole pages and has a compression of its own: no "
                    + (xbzrle ? "xbzrle" : "compress") + " with it");
        }
        if (blocks < 0 || nonce < 0 || nonce > 0xffff) {
            throw new IllegalArgumentException("blocks " + blocks + ", nonce " + nonce);
        }
    }

    /** Pages travel on the main channel. */
    public MigrationOptions(
            boolean returnPath,
            boolean postcopy,
            boolean preempt,
            boolean pauseBeforeSwitchover,
            boolean switchoverAck,
            boolean xbzrle,
            boolean compress,
            int blocks,
            int nonce) {
        this(
                returnPath,
                postcopy,
                preempt,
                pauseBeforeSwitchover,
                switchoverAck,
                xbzrle,
                compress,
                null,
                ZeroPageDetection.MULTIFD,
                blocks,
                nonce);
    }

    /** Pages are sent as they are, on the main channel. */
    public MigrationOptions(
            boolean returnPath,
            boolean postcopy,
            boolean preempt,
            boolean pauseBeforeSwitchover,
            boolean switchoverAck,
            int blocks,
            int nonce) {
        this(returnPath, postcopy, preempt, pauseBeforeSwitchover, switchoverAck, false, false, blocks, nonce);
    }

    public MigrationOptions withNonce(int other) {
        return new MigrationOptions(
                returnPath,
                postcopy,
                preempt,
                pauseBeforeSwitchover,
                switchoverAck,
                xbzrle,
                compress,
                multifd,
                zeroPages,
                blocks,
                other);
    }

    public MigrationOptions withXbzrle(boolean on) {
        return new MigrationOptions(
                returnPath,
                postcopy,
                preempt,
                pauseBeforeSwitchover,
                switchoverAck,
                on,
                compress,
                multifd,
                zeroPages,
                blocks,
                nonce);
    }

    public MigrationOptions withMultifd(@Nullable MultifdParameters parameters) {
        return new MigrationOptions(
                returnPath,
                postcopy,
                preempt,
                pauseBeforeSwitchover,
                switchoverAck,
                xbzrle,
                compress,
                parameters,
                zeroPages,
                blocks,
                nonce);
    }

    public static MigrationOptions of(Set<Capability> capabilities, MultifdParameters multifd, int blocks, int nonce) {
        return new MigrationOptions(
                capabilities.contains(Capability.RETURN_PATH),
                capabilities.contains(Capability.POSTCOPY_RAM),
                capabilities.contains(Capability.POSTCOPY_PREEMPT),
                capabilities.contains(Capability.PAUSE_BEFORE_SWITCHOVER),
                capabilities.contains(Capability.SWITCHOVER_ACK),
                capabilities.contains(Capability.XBZRLE),
                capabilities.contains(Capability.COMPRESS),
                capabilities.contains(Capability.MULTIFD) ? multifd : null,
                multifd.zeroPages(),
                blocks,
                nonce);
    }
}
