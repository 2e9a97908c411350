// SPDX-License-Identifier: Apache-2.0

/**
 * The program: its entry point and the list of its commands.
 *
 * <p>Everything with third-party weight lives in this module. Its packages don't call each other sideways: only this one
 * and cli know them all.
 */
@NullMarked
package io.godwit.app;

import org.jspecify.annotations.NullMarked;
