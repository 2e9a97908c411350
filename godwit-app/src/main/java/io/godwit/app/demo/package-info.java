// SPDX-License-Identifier: Apache-2.0

/**
 * The demonstration: a migration that is cut, recovered and checked, in one command.
 *
 * <p>It uses the engine as any embedder would, over real sockets.
 */
@NullMarked
package io.godwit.app.demo;

import org.jspecify.annotations.NullMarked;
