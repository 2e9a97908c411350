// SPDX-License-Identifier: Apache-2.0

@NullMarked
package io.godwit.page;

import org.jspecify.annotations.NullMarked;
