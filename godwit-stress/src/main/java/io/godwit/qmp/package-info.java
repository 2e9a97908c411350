// SPDX-License-Identifier: Apache-2.0

@NullMarked
package io.godwit.qmp;

import org.jspecify.annotations.NullMarked;
