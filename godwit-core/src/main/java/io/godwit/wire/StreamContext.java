// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.BlockTable;

/**
 * What a main channel has taught its receiver and what a recovery connection relies on: no START and no block list are repeated there
 * ({@code spec/stream.md §4}).
 *
 * @param blocks the list of the first connection's MEM_SIZE, in its order
 * @param ramSectionId the section id that the source gave to "ram"
 */
public record StreamContext(BlockTable blocks, int ramSectionId) {}
