// SPDX-License-Identifier: Apache-2.0

@NullMarked
package io.godwit.memory;

import org.jspecify.annotations.NullMarked;
