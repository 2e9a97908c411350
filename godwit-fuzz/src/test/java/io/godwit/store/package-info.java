// SPDX-License-Identifier: Apache-2.0

@NullMarked
package io.godwit.store;

import org.jspecify.annotations.NullMarked;
