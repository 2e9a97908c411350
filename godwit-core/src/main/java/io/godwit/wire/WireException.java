// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

/**
 * A peer sent what the format does not allow. The message is one sentence with channel, offset and reason. After it the decoder's channel is of
 * no further use. Carries no stack trace: it tells about the peer, not about our code.
 */
public sealed class WireException extends Exception permits UnsupportedOnWireException {
    private static final long serialVersionUID = 1;

    /** {@link #channel()} of the main channel, source to destination. */
    public static final String MAIN = "main";
    /** {@link #channel()} of the messages from the destination to the source. */
    public static final String RETURN_PATH = "return path";
    /** {@link #channel()} of the channel of urgent pages. */
    public static final String PREEMPT = "preempt";
    /** {@link #channel()} of a multifd channel that has not said its number yet. */
    public static final String MULTIFD = "multifd";

    private final String channel;
    private final long offset;
    private final String reason;

    /**
     * @param channel {@link #MAIN}, {@link #RETURN_PATH}, {@link #PREEMPT}, {@link #MULTIFD} or {@link #multifd}
     * @param offset bytes from the channel's first byte to the one that is wrong
     * @param reason what was wrong, without channel and offset
     */
    public WireException(String channel, long offset, String reason) {
        super(channel + " channel, byte " + offset + ": " + reason, null, false, false);
        this.channel = channel;
        this.offset = offset;
        this.reason = reason;
    }

    /** {@link #channel()} of the multifd channel with this number. */
    public static String multifd(int id) {
        return MULTIFD + " " + id;
    }

    public String channel() {
        return channel;
    }

    /** Bytes from the channel's first byte to the one that is wrong. */
    public long offset() {
        return offset;
    }

    /** What was wrong, without channel and offset. */
    public String reason() {
        return reason;
    }
}
