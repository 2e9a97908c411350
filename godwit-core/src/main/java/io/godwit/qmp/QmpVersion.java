// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.JsonObject;
import java.lang.module.ModuleDescriptor;

/**
 * What query-version and the greeting say.
 *
 * @param packageName who really answers
 */
public record QmpVersion(int major, int minor, int micro, String packageName) {
    /** QEMU 10.0, whose commands, members and order of states Godwit shows; the package tells that it is Godwit. */
    public static final QmpVersion GODWIT = new QmpVersion(10, 0, 0, "godwit" + moduleVersion());

    JsonObject toJson() {
        JsonObject qemu = JsonObject.builder()
                .put("major", major)
                .put("minor", minor)
                .put("micro", micro)
                .build();
        return JsonObject.builder()
                .put("qemu", qemu)
                .put("package", packageName)
                .build();
    }

    /** The version that the build wrote into the module; nothing on a class path. */
    private static String moduleVersion() {
        ModuleDescriptor descriptor = QmpVersion.class.getModule().getDescriptor();
        return descriptor == null
                ? ""
                : descriptor.rawVersion().map(version -> "-" + version).orElse("");
    }
}
