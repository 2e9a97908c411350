// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

/**
 * A page that does not hold what the guest wrote, or another proof that something went wrong.
 *
 * @param kind what is wrong with it
 * @param block the RAM block's name, empty if it is not about a page
 * @param page page number in the block, -1 if it is not about a page
 * @param what the sentence for people
 */
public record Damage(Kind kind, String block, long page, String what) {
    /** What can happen to a page. */
    public enum Kind {
        /** An older content of the same page: a later write was lost. */
        STALE("a stale page (lost update)"),
        /** A newer content than the guest has written: a page written twice, or a writer's state gone back. */
        FUTURE("a page from the future (written twice, or the writer's state went back)"),
        /** Parts of two contents of the same page. */
        TORN("a torn page"),
        /** Bytes that nobody wrote. */
        CORRUPT("a corrupt page"),
        /** Another page's content, or another guest's. */
        MISPLACED("a misplaced page"),
        /** Zeroes where something was written. */
        LOST("a lost page"),
        /** Something where nothing was ever written. */
        NOT_ZERO("a page that should hold only zeroes"),
        /** Not there yet: not received. */
        ABSENT("a page that has not arrived"),
        /** One of the guest's own threads failed. */
        INTERNAL("a failure of the guest itself");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        /** For people: "a stale page (lost update)". */
        public String words() {
            return words;
        }
    }

    static Damage of(Kind kind, String block, long page, String holds) {
        return new Damage(kind, block, page, "page " + page + " of '" + block + "' " + holds + ": " + kind.words());
    }

    static Damage internal(String thread, Throwable failure) {
        return new Damage(
                Kind.INTERNAL, "", -1, "thread " + thread + " ended with " + failure + ": " + Kind.INTERNAL.words());
    }

    @Override
    public String toString() {
        return what;
    }
}
