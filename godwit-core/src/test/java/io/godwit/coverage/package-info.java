// SPDX-License-Identifier: Apache-2.0

/** What {@code ./verify --coverage} says: which branches the core's tests take, and which are javac's own and can be taken by nothing. */
@NullMarked
package io.godwit.coverage;

import org.jspecify.annotations.NullMarked;
