// SPDX-License-Identifier: Apache-2.0

@NullMarked
package io.godwit.engine;

import org.jspecify.annotations.NullMarked;
