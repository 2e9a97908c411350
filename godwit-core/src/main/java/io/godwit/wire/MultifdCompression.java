// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import org.jspecify.annotations.Nullable;

/**
 * How the data of multifd packets is compressed, {@code spec/multifd.md §3, §4}; both ends are set to the same. Each channel is one compressed
 * stream that begins with its first packet, is flushed at the end of each packet, and never ends. QEMU's qpl, uadk and qatzip are not spoken.
 */
public enum MultifdCompression {
    /** The pages as they are. */
    NONE(0x00, 0, 0),
    /** A zlib stream, RFC 1950, by the JDK. Levels 0 to 9. */
    ZLIB(0x02, 0, 9),
    /** A zstd frame, RFC 8878, by zstd-jni, which an embedder adds: {@link #available}. Levels 1 to 20; 0 stands for zstd's default. */
    ZSTD(0x04, 0, 20);

    /** QEMU's default level of zlib and zstd. */
    public static final int DEFAULT_LEVEL = 1;

    private final int flag;
    private final int minLevel;
    private final int maxLevel;

    MultifdCompression(int flag, int minLevel, int maxLevel) {
        this.flag = flag;
        this.minLevel = minLevel;
        this.maxLevel = maxLevel;
    }

    /** Name of this value of QEMU's parameter multifd-compression. */
    public String title() {
        return title(flag);
    }

    /** Whether it can be used here: zstd needs the module {@code com.github.luben.zstd_jni} and its native library for this platform. */
    public boolean available() {
        return whyNot() == null;
    }

    /** Why it cannot be used here, as a sentence that says what to do, or null if it can. */
    public @Nullable String whyNot() {
        String failure = this == ZSTD ? ZstdLibrary.failure() : null;
        return failure == null
                ? null
                : "multifd-compression zstd needs the library com.github.luben:zstd-jni, which is not usable here ("
                        + failure + "): add it, or set multifd-compression to zlib or none at both ends";
    }

    /** Its bits in a packet's flags. */
    int flag() {
        return flag;
    }

    /** A new channel's decompressor; null for NONE. */
    @Nullable
    PageDecompressor decompressor() {
        requireAvailable();
        return switch (this) {
            case NONE -> null;
            case ZLIB -> new ZlibDecompressor();
            case ZSTD -> new ZstdDecompressor();
        };
    }

    /** A new channel's compressor; null for NONE, which has no level but 0 or the default. */
    @Nullable
    PageCompressor compressor(int level) {
        requireAvailable();
        if (this != NONE && (level < minLevel || level > maxLevel)) {
            throw new IllegalArgumentException(
                    "levels of " + title() + " are " + minLevel + " to " + maxLevel + ", got " + level);
        }
        return switch (this) {
            case NONE -> null;
            case ZLIB -> new ZlibCompressor(level);
            case ZSTD -> new ZstdCompressor(level);
        };
    }

    private void requireAvailable() {
        String whyNot = whyNot();
        if (whyNot != null) {
            throw new UnsupportedOperationException(whyNot);
        }
    }

    /** The name of the compression with these bits in the flags, spoken here or not. */
    static String title(int bits) {
        return switch (bits) {
            case 0x00 -> "none";
            case 0x02 -> "zlib";
            case 0x04 -> "zstd";
            case 0x08 -> "qpl";
            case 0x10 -> "uadk";
            case 0x20 -> "qatzip";
            default -> "0x" + Integer.toHexString(bits);
        };
    }
}
