// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import org.jspecify.annotations.Nullable;

/**
 * Whether zstd-jni can be used. The core compiles against it but does not insist on it ({@code requires static}): who wants zstd adds it to the
 * module path. It unpacks its native library into the folder for temporary files, which may fail for reasons of its own.
 */
final class ZstdLibrary {
    private static final @Nullable String FAILURE = probe();

    private ZstdLibrary() {}

    /** Why it cannot be used; null if it can. */
    static @Nullable String failure() {
        return FAILURE;
    }

    private static @Nullable String probe() {
        try {
            new ZstdDecompressor().close();
            return null;
        } catch (LinkageError e) {
            return e.toString();
        }
    }
}
