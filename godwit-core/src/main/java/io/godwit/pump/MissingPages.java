// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

/**
 * Pages that a guest touched and lacks. Filled by the guest's threads without ever waiting for room (a page is in it at most once), emptied by the migration's loop.
 */
public interface MissingPages {
    /** Gives every page that is to be requested now. Each is given once, until {@link #reissue}. */
    void drain(Visitor visitor);

    /** Every page that was given and has not come is to be given once more, in ascending order, before new ones. */
    void reissue();

    /** Pages that are waited for now. */
    long outstanding();

    /** Is told of a page by its block's index and its place in the block. */
    @FunctionalInterface
    interface Visitor {
        void page(int block, long page);
    }

    /** Nothing is ever missing. */
    MissingPages NONE = new MissingPages() {
        @Override
        public void drain(Visitor visitor) {}

        @Override
        public void reissue() {}

        @Override
        public long outstanding() {
            return 0;
        }
    };
}
