// SPDX-License-Identifier: Apache-2.0

/**
 * Virtual machines parked on disk, never wrong after a killed process or a power loss at any instant.
 */
@NullMarked
package io.godwit.store;

import org.jspecify.annotations.NullMarked;
