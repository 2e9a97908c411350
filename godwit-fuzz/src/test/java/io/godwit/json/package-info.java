// SPDX-License-Identifier: Apache-2.0

@NullMarked
package io.godwit.json;

import org.jspecify.annotations.NullMarked;
