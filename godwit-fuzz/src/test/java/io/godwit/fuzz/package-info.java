// SPDX-License-Identifier: Apache-2.0

@NullMarked
package io.godwit.fuzz;

import org.jspecify.annotations.NullMarked;
