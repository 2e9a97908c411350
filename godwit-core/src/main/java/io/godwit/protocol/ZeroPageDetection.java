// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

/** How a source finds pages that are all zero, and where it says so: QEMU's parameter zero-page-detection. A destination takes all of them. */
public enum ZeroPageDetection {
    /** It doesn't look: they go as any other. */
    NONE("none"),
    /** As records of the main channel. */
    LEGACY("legacy"),
    /** With multifd in its packets, where the machine type allows that, else as records of the main channel. */
    MULTIFD("multifd");

    private final String word;

    ZeroPageDetection(String word) {
        this.word = word;
    }

    public String word() {
        return word;
    }
}
