// SPDX-License-Identifier: Apache-2.0

/**
 * Helpers for the terminal that any command may use: colour, width, one line that is drawn again.
 *
 * <p>It is the only package of the app that all others may call.
 */
@NullMarked
package io.godwit.app.term;

import org.jspecify.annotations.NullMarked;
