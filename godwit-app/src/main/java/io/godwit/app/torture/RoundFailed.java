// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import org.jspecify.annotations.Nullable;

/** A rule is broken, or the round is stuck. The message says what is, and in which states both ends are. */
final class RoundFailed extends Exception {
    private static final long serialVersionUID = 1;

    private final Result.Verdict verdict;

    RoundFailed(Result.Verdict verdict, String message) {
        this(verdict, message, null);
    }

    RoundFailed(Result.Verdict verdict, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.verdict = verdict;
    }

    Result.Verdict verdict() {
        return verdict;
    }
}
