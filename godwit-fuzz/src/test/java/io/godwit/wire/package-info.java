// SPDX-License-Identifier: Apache-2.0

@NullMarked
package io.godwit.wire;

import org.jspecify.annotations.NullMarked;
