// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import io.godwit.protocol.MigrationOptions;
import org.jspecify.annotations.Nullable;

/** What a migration may be if it does not go over sockets: one stream, and from a file no answer. */
final class OneStream {
    private OneStream() {}

    /** @return a sentence that names the capability in the way, or null */
    static @Nullable String whyNotTo(MigrationAddress target, MigrationOptions options) {
        return switch (target) {
            case Address _ -> null;
            case MigrationAddress.FileRange _ when options.postcopy() -> answers("postcopy-ram", target);
            case MigrationAddress.FileRange _ when options.returnPath() -> answers("return-path", target);
            case MigrationAddress.Local local -> channels(local, options);
        };
    }

    /** @return a sentence that names the capability in the way, or null */
    static @Nullable String whyNotFrom(MigrationAddress source, MigrationOptions options) {
        return switch (source) {
            case Address _ -> null;
            case MigrationAddress.FileRange _ when options.postcopy() -> answers("postcopy-ram", source);
            case MigrationAddress.Local local -> channels(local, options);
        };
    }

    private static String answers(String capability, MigrationAddress address) {
        return "capability " + capability + " needs an other side that answers, and " + address
                + " is a file: switch it off, or use tcp: or unix:";
    }

    private static @Nullable String channels(MigrationAddress.Local local, MigrationOptions options) {
        String capability = options.multifd() != null ? "multifd" : options.preempt() ? "postcopy-preempt" : null;
        return capability == null
                ? null
                : "capability " + capability + " needs several connections, and " + local
                        + " is one: switch it off, or use tcp: or unix:";
    }
}
