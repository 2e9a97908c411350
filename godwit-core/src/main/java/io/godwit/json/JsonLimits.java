// SPDX-License-Identifier: Apache-2.0

package io.godwit.json;

/**
 * How much of a stranger's text the parser takes.
 *
 * @param maxBytes the longest text in bytes
 * @param maxDepth how deep objects and arrays may stand in one another
 * @param maxString the longest string or member name in bytes, as it stands in the text
 * @param singleQuotes whether strings may also stand in single quotes, as QEMU's monitor takes them
 */
public record JsonLimits(int maxBytes, int maxDepth, int maxString, boolean singleQuotes) {
    /** 64 MiB, 1024 levels, strings of 16 MiB: room for the description of a large machine's devices, which is one JSON text. */
    public static final JsonLimits DEFAULT = new JsonLimits(64 << 20, 1024, 16 << 20, false);

    public JsonLimits {
        if (maxBytes <= 0 || maxDepth <= 0 || maxString <= 0) {
            throw new IllegalArgumentException("limits are positive, got %d bytes, %d levels, strings of %d bytes"
                    .formatted(maxBytes, maxDepth, maxString));
        }
    }
}
