// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import org.jspecify.annotations.Nullable;

/** Something that is measured did not work; the message is a sentence for people. */
public final class BenchFailed extends Exception {
    private static final long serialVersionUID = 1;

    BenchFailed(String sentence) {
        super(sentence);
    }

    BenchFailed(String sentence, @Nullable Throwable cause) {
        super(sentence, cause);
    }
}
