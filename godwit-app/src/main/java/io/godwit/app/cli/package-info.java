// SPDX-License-Identifier: Apache-2.0

/**
 * What all commands of the command line share, and the small commands without a home of their own.
 *
 * <p>A user's mistake is one sentence and exit code 2. Nothing here knows how a migration works.
 */
@NullMarked
package io.godwit.app.cli;

import org.jspecify.annotations.NullMarked;
