// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * XXH64 of parts of one direct buffer by the system's libxxhash, where that is installed (Debian's package manager needs it): at its full speed from the first call on, which code that Java
 * has to compile first is not. Stateless, so any thread may call it.
 */
public final class XxHashLibrary {
    private static final String FILE = "libxxhash.so.0";

    /** Of no bytes with the seed 0, as published. */
    private static final long OF_NOTHING = 0xEF46DB3751D8E999L;

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
     * For this buffer, or null: the library is not there, or is another one than its name says.
     *
     * @param bytes direct
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
        return function.computed(address + offset, length, seed);
    }

    @SuppressWarnings("restricted")
    private static @Nullable CFunction find() {
        try {
            CFunction found = new CFunction(
                    "XXH64", SymbolLookup.libraryLookup(FILE, Arena.global()).findOrThrow("XXH64"));
            return found.computed(0, 0, 0) == OF_NOTHING ? found : null;
        } catch (RuntimeException _) {
            // Not there, or without such a function: its users have another way.
            return null;
        }
    }
}
