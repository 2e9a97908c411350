// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

/** The peer uses a part of the format that exists but is not spoken here, or is off here; names it. */
public final class UnsupportedOnWireException extends WireException {
    private static final long serialVersionUID = 1;

    /** Parts of the format that are refused by name. */
    public enum Feature {
        XBZRLE("xbzrle", true),
        COMPRESS("compress", true),
        MULTIFD("multifd", false),
        MAPPED_RAM("mapped-ram", false),
        RDMA("rdma", false),
        DEVICE_STATE("device state on a multifd channel", false),
        ITERABLE("an iterable state other than ram", false);

        private final String title;
        private final boolean known;

        /** @param known spoken where its capability is on */
        Feature(String title, boolean known) {
            this.title = title;
            this.known = known;
        }

        /** The capability's name where there is one. */
        public String title() {
            return title;
        }
    }

    private final Feature feature;

    public UnsupportedOnWireException(String channel, long offset, Feature feature, String where) {
        super(
                channel,
                offset,
                where + ": " + feature.title()
                        + (feature.known
                                ? " is off here; switch it on here, or off at the source"
                                : " is not supported here; switch it off at the source"));
        this.feature = feature;
    }

    public Feature feature() {
        return feature;
    }
}
