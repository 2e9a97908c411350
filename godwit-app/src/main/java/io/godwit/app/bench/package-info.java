// SPDX-License-Identifier: Apache-2.0

/**
 * Measurements of whole migrations: throughput, downtime and the wait for an urgent page.
 *
 * <p>Microbenchmarks live in the module godwit-bench instead.
 */
@NullMarked
package io.godwit.app.bench;

import org.jspecify.annotations.NullMarked;
