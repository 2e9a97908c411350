// SPDX-License-Identifier: Apache-2.0

@NullMarked
package io.godwit.net;

import org.jspecify.annotations.NullMarked;
