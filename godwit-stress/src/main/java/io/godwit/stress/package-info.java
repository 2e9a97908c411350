// SPDX-License-Identifier: Apache-2.0

@NullMarked
package io.godwit.stress;

import org.jspecify.annotations.NullMarked;
