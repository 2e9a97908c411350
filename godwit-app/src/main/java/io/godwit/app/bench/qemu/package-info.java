// SPDX-License-Identifier: Apache-2.0

/**
 * {@code godwit bench --qemu}: real QEMUs move a VM to each other, and to and from {@code godwit park} and {@code godwit unpark}, side by side in one run.
 *
 * <p>Every end is a process of its own, as a user has it: what is measured of Godwit includes its cold start wherever nothing else is said. Times are those that the ends themselves
 * give to their events (microseconds since 1970, one clock for all, since all are on this machine), so that this process's own delays are not in them.
 */
@NullMarked
package io.godwit.app.bench.qemu;

import org.jspecify.annotations.NullMarked;
