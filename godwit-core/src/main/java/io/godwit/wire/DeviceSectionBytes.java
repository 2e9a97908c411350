// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One FULL section without header and footer ({@code spec/stream.md §4}).
 *
 * @param idstr 1 to 255 bytes
 * @param instanceId unsigned 32 bits
 * @param versionId unsigned 32 bits
 * @param body not copied and not to be changed
 */
@SuppressWarnings("ArrayRecordComponent") // compared by content below
public record DeviceSectionBytes(String idstr, int instanceId, int versionId, byte[] body) {
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof DeviceSectionBytes that
                && that.idstr.equals(idstr)
                && that.instanceId == instanceId
                && that.versionId == versionId
                && Arrays.equals(that.body, body);
    }

    @Override
    public int hashCode() {
        return idstr.hashCode() * 31 + Arrays.hashCode(body);
    }

    @Override
    public String toString() {
        return idstr + " instance " + Integer.toUnsignedString(instanceId) + " version "
                + Integer.toUnsignedString(versionId) + ", " + body.length + " bytes";
    }
}
