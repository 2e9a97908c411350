// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import io.godwit.app.term.ExitCodes;

/**
 * How it ended.
 *
 * @param code the process's exit code
 * @param word the same for programs
 * @param sentence for people: what is, and what to do
 */
record Outcome(int code, String word, String sentence) {
    static Outcome done(String word, String sentence) {
        return new Outcome(0, word, sentence);
    }

    /** The VM is where it was. */
    static Outcome failed(String sentence) {
        return new Outcome(ExitCodes.FAILED, "failed", sentence);
    }

    static Outcome unproven(String sentence) {
        return new Outcome(ExitCodes.UNPROVEN, "unproven", sentence);
    }

    /** Nothing is lost, the same command goes on. */
    static Outcome unfinished(String sentence) {
        return new Outcome(ExitCodes.UNFINISHED, "unfinished", sentence);
    }
}
