// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.wire.StreamMessage.Configuration;
import io.godwit.wire.UnsupportedOnWireException.Feature;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The configuration, {@code spec/stream.md §3}:
 *
 * <pre>
 *   07  u32 n  n bytes machine name
 *   0..3 of, in this order:  05  str8 name  u32 version(=1)  fields
 *     configuration/target-page-bits  u32 bits
 *     configuration/capabilities      u32 count, count x str8
 *     configuration/uuid              16 bytes
 * </pre>
 *
 * Its end shows only in the byte that follows it, so it is complete once that byte is there.
 */
final class ConfigurationReader {
    private final Reader reader;
    private final DecoderOptions options;
    private OptionalInt pageBits = OptionalInt.empty();
    private List<String> capabilities = List.of();
    private @Nullable UUID uuid;
    private int rank;

    ConfigurationReader(Reader reader, DecoderOptions options) {
        this.reader = reader;
        this.options = options;
    }

    /** Reads from the type byte on; null if it is not there whole. Does not commit. */
    @Nullable
    Configuration read() throws WireException {
        if (!reader.has(5)) {
            return null;
        }
        reader.skip(1);
        long length = reader.u32();
        if (length == 0 || length > Configuration.MAX_MACHINE_BYTES) {
            throw reader.errorBefore(
                    4, "a machine name of " + length + " bytes; it has 1 to " + Configuration.MAX_MACHINE_BYTES);
        }
        if (!reader.has((int) length)) {
            return null;
        }
        String machine = reader.text((int) length, "the machine name");
        while (true) {
            if (!reader.has(1)) {
                return null;
            }
            if (reader.peek(0) != WireFormat.SUBSECTION) {
                break;
            }
            reader.skip(1);
            if (!reader.hasStr8()) {
                return null;
            }
            if (!subsection(reader.str8("a subsection's name"))) {
                return null;
            }
        }
        equal(WireFormat.IGNORE_SHARED, options.ignoreShared());
        equal(WireFormat.MAPPED_RAM, options.mappedRam().isPresent());
        return new Configuration(machine, pageBits, capabilities, uuid);
    }

    private void equal(String capability, boolean here) throws WireException {
        if (here != capabilities.contains(capability)) {
            throw reader.error("capability " + capability + " is " + (here ? "on here and off" : "off here and on")
                    + " at the source; set it equally");
        }
    }

    private boolean subsection(String name) throws WireException {
        int newRank = switch (name) {
            case WireFormat.PAGE_BITS_SUBSECTION -> 1;
            case WireFormat.CAPABILITIES_SUBSECTION -> 2;
            case WireFormat.UUID_SUBSECTION -> 3;
            default -> throw before(name, "unknown subsection '" + name + "'");
        };
        if (newRank <= rank) {
            throw before(name, "subsection '" + name + "' stands twice or out of order");
        }
        rank = newRank;
        if (!reader.has(4)) {
            return false;
        }
        long version = reader.u32();
        if (version != 1) {
            throw reader.errorBefore(4, "subsection '" + name + "' has version " + version + ", not 1");
        }
        return switch (newRank) {
            case 1 -> pageBits();
            case 2 -> capabilities();
            default -> uuid();
        };
    }

    private WireException before(String name, String reason) {
        return reader.errorBefore(name.getBytes(StandardCharsets.UTF_8).length, reason);
    }

    private boolean pageBits() throws WireException {
        if (!reader.has(4)) {
            return false;
        }
        int bits = reader.i32();
        if (bits != 12) {
            throw reader.errorBefore(
                    4, "target pages of 2^" + Integer.toUnsignedString(bits) + " bytes; only 2^12 is handled");
        }
        pageBits = OptionalInt.of(bits);
        return true;
    }

    private boolean capabilities() throws WireException {
        if (!reader.has(4)) {
            return false;
        }
        long count = reader.u32();
        if (count > Configuration.MAX_CAPABILITIES) {
            throw reader.errorBefore(
                    4, count + " capability names; at most " + Configuration.MAX_CAPABILITIES + " are taken");
        }
        List<String> names = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            if (!reader.hasStr8()) {
                return false;
            }
            String name = reader.str8("a capability's name");
            if (name.equals(WireFormat.MAPPED_RAM) && options.mappedRam().isEmpty()) {
                reader.skip(-name.length());
                throw reader.unsupported(Feature.MAPPED_RAM, "the source's capabilities");
            }
            boolean known = name.equals(WireFormat.IGNORE_SHARED) || name.equals(WireFormat.MAPPED_RAM);
            if (!known || names.contains(name)) {
                throw before(name, "capability '" + name + "' is unknown here or stands twice");
            }
            names.add(name);
        }
        capabilities = names;
        return true;
    }

    private boolean uuid() {
        if (!reader.has(16)) {
            return false;
        }
        uuid = new UUID(reader.i64(), reader.i64());
        return true;
    }
}
