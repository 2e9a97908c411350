// SPDX-License-Identifier: Apache-2.0

/** {@code godwit torture}: real processes migrate a guest again and again while the network, the operators and the processes themselves fail as a seed says. */
@NullMarked
package io.godwit.app.torture;

import org.jspecify.annotations.NullMarked;
