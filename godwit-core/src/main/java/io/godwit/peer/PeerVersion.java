// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import io.godwit.json.JsonObject;

/**
 * A QEMU's version.
 *
 * @param packageName the distributor's words, or empty
 */
public record PeerVersion(int major, int minor, int micro, String packageName) {

    static PeerVersion of(JsonObject version) {
        JsonObject qemu = version.object("qemu");
        return new PeerVersion(
                number(qemu, "major"), number(qemu, "minor"), number(qemu, "micro"), version.string("package", ""));
    }

    private static int number(JsonObject qemu, String name) {
        return Math.clamp(qemu.int64(name), 0, Integer.MAX_VALUE);
    }

    public boolean atLeast(int wantedMajor, int wantedMinor) {
        return major > wantedMajor || (major == wantedMajor && minor >= wantedMinor);
    }

    /** Whether this is the same release series as {@code other} or a newer one; bug-fix releases of a series understand each other both ways. */
    public boolean atLeast(PeerVersion other) {
        return atLeast(other.major, other.minor);
    }

    /**
     * Whether a recovery of which the handshake fails may be this peer's last: as source it then stays in postcopy-recover for ever and as destination it
     * crashes ({@code spec/sequences.md §6.4}, seen on 7.2). Since 8.2 a recovery may fail.
     */
    public boolean mayBe72() {
        return !atLeast(8, 2);
    }

    /**
     * Whether, as destination in postcopy-paused, it may give its guest up for a connection that ends before its fourth byte, whoever made it; with TLS none does. Seen on 7.2, which
     * crashes, and 11.1, not on 10.0.
     */
    public boolean mayLoseItsGuestToAStranger() {
        return mayBe72() || atLeast(10, 1);
    }

    @Override
    public String toString() {
        return major + "." + minor + "." + micro;
    }
}
