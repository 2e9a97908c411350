// SPDX-License-Identifier: Apache-2.0

/**
 * The only user of the foreign-function linker: mapped memory, memfd, the tie to a parent process, and descriptors, child processes
 * and sockets over which descriptors come, none of which Java has channels for.
 *
 * <p>Sizes and constants of the kernel's structures are asserted here. What a caller sees are plain Java types and
 * exceptions that name the call and its errno.
 */
@NullMarked
package io.godwit.sys;

import org.jspecify.annotations.NullMarked;
