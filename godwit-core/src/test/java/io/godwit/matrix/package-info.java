// SPDX-License-Identifier: Apache-2.0

/**
 * What Godwit and real QEMUs do with each other: every version, both roles, every way in which a migration goes or is broken. What was seen is written down, and
 * {@code docs/compatibility.md} is made of that.
 */
@NullMarked
package io.godwit.matrix;

import org.jspecify.annotations.NullMarked;
