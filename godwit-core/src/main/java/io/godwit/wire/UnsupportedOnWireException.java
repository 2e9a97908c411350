// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

/** The peer uses a part of the format that exists but is not spoken here; names it. */
public final class UnsupportedOnWireException extends WireException {
    private static final long serialVersionUID = 1;

    /** Parts of the format that are refused by name. */
    public enum Feature {
        XBZRLE("xbzrle"),
        COMPRESS("compress"),
        MULTIFD("multifd"),
        MAPPED_RAM("mapped-ram"),
        RDMA("rdma"),
        ITERABLE("an iterable state other than ram");

        private final String title;

        Feature(String title) {
            this.title = title;
        }

        /** The capability's name where there is one. */
        public String title() {
            return title;
        }
    }

    private final Feature feature;

    public UnsupportedOnWireException(String channel, long offset, Feature feature, String where) {
        super(channel, offset, where + ": " + feature.title() + " is not supported here; switch it off at the source");
        this.feature = feature;
    }

    public Feature feature() {
        return feature;
    }
}
