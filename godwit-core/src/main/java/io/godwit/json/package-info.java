// SPDX-License-Identifier: Apache-2.0

/**
 * A small JSON value model over a streaming parser.
 *
 * <p>It serves what the rest of the core reads and writes as JSON: QMP, the device-state description in a migration
 * stream, and manifests. It knows nothing of what the values mean, and every length and depth it accepts is bounded.
 */
@NullMarked
package io.godwit.json;

import org.jspecify.annotations.NullMarked;
