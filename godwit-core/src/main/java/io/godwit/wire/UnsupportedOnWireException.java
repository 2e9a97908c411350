// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

/** The peer uses a part of the format that exists but is not spoken here, or is off here; names it. */
public final class UnsupportedOnWireException extends WireException {
    private static final long serialVersionUID = 1;

    /** Parts of the format that are refused by name. */
    public enum Feature {
        XBZRLE("xbzrle", Feature.OFF),
        COMPRESS("compress", Feature.OFF),
        MULTIFD("multifd", Feature.UNKNOWN),
        MAPPED_RAM(
                "mapped-ram",
                " is of a file whose pages have places, and this is read as a stream; 'godwit store import FILE' takes such a file"),
        RDMA("rdma", Feature.UNKNOWN),
        DEVICE_STATE("device state on a multifd channel", Feature.UNKNOWN),
        ITERABLE("an iterable state other than ram", Feature.UNKNOWN);

        private static final String OFF = " is off here; switch it on here, or off at the source";
        private static final String UNKNOWN = " is not supported here; switch it off at the source";

        private final String title;
        private final String why;

        /** @param why the rest of the sentence: what is wrong and what to do */
        Feature(String title, String why) {
            this.title = title;
            this.why = why;
        }

        /** The capability's name where there is one. */
        public String title() {
            return title;
        }
    }

    private final Feature feature;

    public UnsupportedOnWireException(String channel, long offset, Feature feature, String where) {
        super(channel, offset, where + ": " + feature.title() + feature.why);
        this.feature = feature;
    }

    public Feature feature() {
        return feature;
    }
}
