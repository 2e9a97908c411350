// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * XXH64 of parts of one direct buffer by the system's libxxhash, where that is installed (Debian's package manager needs it): at its full speed from the first call on, which code that Java
 * has to compile first is not. Stateless, so any thread may call it. A call of a few KiB: the JVM's safepoints wait for its end.
 */
public final class XxHashLibrary {
    private static final String FILE = "libxxhash.so.0";

    /** What it has to say of 64 bytes, 3, 10, 17 and so on, with the prime 2654435761 as the seed: so says the reference implementation. */
    private static final long KNOWN = 0xBCB3847D70525180L;

    private static final int KNOWN_BYTES = 64;
    private static final long KNOWN_SEED = 0x9E3779B1L;

    private static final @Nullable CFunction XXH64 = find();

    private final CFunction function;
    /** Held so that the address stays what it is. */
    private final ByteBuffer bytes;

    private final long address;

    private XxHashLibrary(CFunction function, ByteBuffer bytes) {
        this.function = function;
        this.bytes = bytes;
        this.address = MemorySegment.ofBuffer(bytes.duplicate().clear()).address();
    }

    /**
     * For this buffer, or null: the library is not there, or is another one than its name says, or this program may not call any ({@code --enable-native-access}).
     *
     * @param bytes direct, from {@link ByteBuffer#allocateDirect} or an arena that is closed later than this is used
     */
    public static @Nullable XxHashLibrary over(ByteBuffer bytes) {
        if (!bytes.isDirect()) {
            throw new IllegalArgumentException("libxxhash needs a direct buffer");
        }
        return XXH64 == null ? null : new XxHashLibrary(XXH64, bytes);
    }

    /**
     * The hash of {@code length} bytes. The buffer's position and limit do not matter.
     *
     * @throws IndexOutOfBoundsException if the buffer does not have them
     */
    public long hash(int offset, int length, long seed) {
        Objects.checkFromIndexSize(offset, length, bytes.capacity());
        try {
            return function.computed(address + offset, length, seed);
        } finally {
            Reference.reachabilityFence(bytes);
        }
    }

    private static @Nullable CFunction find() {
        // Whoever has not allowed native calls would be warned of this one, and has another way.
        if (!XxHashLibrary.class.getModule().isNativeAccessEnabled()) {
            return null;
        }
        try {
            CFunction found = load();
            return CFunction.longsAreWords() && isRight(found) ? found : null;
        } catch (IllegalArgumentException | NoSuchElementException | UnsupportedOperationException | LinkageError _) {
            // No such library, no such function in it, or no such calls on this system: its users have another way.
            return null;
        }
    }

    @SuppressWarnings("restricted")
    private static CFunction load() {
        return new CFunction(
                "XXH64", SymbolLookup.libraryLookup(FILE, Arena.global()).findOrThrow("XXH64"));
    }

    private static boolean isRight(CFunction function) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(KNOWN_BYTES);
            for (int i = 0; i < KNOWN_BYTES; i++) {
                bytes.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 7 + 3));
            }
            return function.computed(bytes.address(), KNOWN_BYTES, KNOWN_SEED) == KNOWN;
        }
    }
}
