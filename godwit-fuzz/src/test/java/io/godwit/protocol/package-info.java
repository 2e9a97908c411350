// SPDX-License-Identifier: Apache-2.0

@NullMarked
package io.godwit.protocol;

import org.jspecify.annotations.NullMarked;
