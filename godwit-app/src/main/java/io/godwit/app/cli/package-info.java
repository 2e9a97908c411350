// SPDX-License-Identifier: Apache-2.0

/**
 * The commands that are thin fronts of the engine, and what the command line as a whole needs.
 *
 * <p>A user's mistake is one sentence and exit code 2. Nothing here knows how a migration works; it may call every other
 * package of the app, and only the entry point calls it.
 */
@NullMarked
package io.godwit.app.cli;

import org.jspecify.annotations.NullMarked;
