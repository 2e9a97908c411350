// SPDX-License-Identifier: Apache-2.0

/**
 * JMH benchmarks of the core's hot paths.
 *
 * <p>Ratios count more than digits: the machines they run on differ.
 */
@NullMarked
package io.godwit.benchmark;

import org.jspecify.annotations.NullMarked;
