// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

/** Receives pages one by one, without an object for each. */
@FunctionalInterface
public interface PageVisitor {
    /** @param block the block's index in the block table */
    void page(int block, long page);
}
