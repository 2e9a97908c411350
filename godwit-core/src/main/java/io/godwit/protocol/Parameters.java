// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

/**
 * The migration parameters this endpoint honours; names, units and defaults as in {@code spec/qmp.md §6}; those named {@code x-godwit-} are Godwit's.
 *
 * @param maxBandwidth precopy limit in bytes per second, 0 for none
 * @param maxPostcopyBandwidth limit of background pages in postcopy in bytes per second, 0 for none; requested pages are never held back
 * @param downtimeLimitMillis precopy switches over once the rest can be sent in this time
 * @param availSwitchoverBandwidth bytes per second assumed for the switchover, 0 to measure
 * @param handshakeTimeoutMillis ({@code x-godwit-handshake-timeout}) recovery falls back to paused after this long without a byte of progress, 0 for never
 * @param livenessTimeoutMillis ({@code x-godwit-liveness-timeout}) a path that answers nothing for this long is taken as broken, 0 for never
 * @param pingIntervalMillis ({@code x-godwit-ping-interval}) time between the source's PINGs, 0 for none
 * @param multifd what begins to count with the next migration
 * @param peerMayBe72 ({@code x-godwit-peer-may-be-7.2}) the other end is, or may be, a QEMU that does not survive the end of a recovery's connection before the
 *     handshake is complete ({@code spec/sequences.md §6.4}): such a connection is held, never closed by an operator's migrate-pause or a deadline
 * @param tls what begins to count with the next connection
 */
public record Parameters(
        long maxBandwidth,
        long maxPostcopyBandwidth,
        long downtimeLimitMillis,
        long availSwitchoverBandwidth,
        long handshakeTimeoutMillis,
        long livenessTimeoutMillis,
        long pingIntervalMillis,
        MultifdParameters multifd,
        boolean peerMayBe72,
        TlsParameters tls) {

    public static final Parameters DEFAULT = new Parameters(134_217_728, 0, 300, 0, 10_000, 10_000, 1_000);

    /** With QEMU's defaults of multifd, for a peer that survives everything. */
    public Parameters(
            long maxBandwidth,
            long maxPostcopyBandwidth,
            long downtimeLimitMillis,
            long availSwitchoverBandwidth,
            long handshakeTimeoutMillis,
            long livenessTimeoutMillis,
            long pingIntervalMillis) {
        this(
                maxBandwidth,
                maxPostcopyBandwidth,
                downtimeLimitMillis,
                availSwitchoverBandwidth,
                handshakeTimeoutMillis,
                livenessTimeoutMillis,
                pingIntervalMillis,
                MultifdParameters.DEFAULT,
                false,
                TlsParameters.OFF);
    }

    public Parameters withMultifd(MultifdParameters other) {
        return new Parameters(
                maxBandwidth,
                maxPostcopyBandwidth,
                downtimeLimitMillis,
                availSwitchoverBandwidth,
                handshakeTimeoutMillis,
                livenessTimeoutMillis,
                pingIntervalMillis,
                other,
                peerMayBe72,
                tls);
    }

    public Parameters withPeerMayBe72(boolean itMay) {
        return new Parameters(
                maxBandwidth,
                maxPostcopyBandwidth,
                downtimeLimitMillis,
                availSwitchoverBandwidth,
                handshakeTimeoutMillis,
                livenessTimeoutMillis,
                pingIntervalMillis,
                multifd,
                itMay,
                tls);
    }

    public Parameters withTls(TlsParameters other) {
        return new Parameters(
                maxBandwidth,
                maxPostcopyBandwidth,
                downtimeLimitMillis,
                availSwitchoverBandwidth,
                handshakeTimeoutMillis,
                livenessTimeoutMillis,
                pingIntervalMillis,
                multifd,
                peerMayBe72,
                other);
    }
}
