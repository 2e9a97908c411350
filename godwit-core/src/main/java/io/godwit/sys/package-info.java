// SPDX-License-Identifier: Apache-2.0

/**
 * The only user of the foreign-function linker: mapped memory, memfd, and the tie to a parent process.
 *
 * <p>Sizes and constants of the kernel's structures are asserted here. What a caller sees are plain Java types and
 * exceptions that name the call and its errno.
 */
@NullMarked
package io.godwit.sys;

import org.jspecify.annotations.NullMarked;
