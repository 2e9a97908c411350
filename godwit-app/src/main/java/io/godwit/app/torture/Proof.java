// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.json.JsonObject;

/** What the guest says of its memory, judged. */
final class Proof {
    private Proof() {}

    /**
     * Judges a stopped guest.
     *
     * @param memory the answer to {@code x-godwit-guest-verify}
     * @param stats the answer to {@code x-godwit-guest-stats}
     * @throws RoundFailed if one page is not what was written last, or a thread waits for a page
     */
    static void judge(JsonObject memory, JsonObject stats) throws RoundFailed {
        if (!memory.bool("ok", false)) {
            throw new RoundFailed(
                    Result.Verdict.LOST, "the memory is not right: " + memory.string("summary", "no summary"));
        }
        long waiting = stats.int64("blocked-threads", 0);
        long missing = stats.int64("missing-pages", 0);
        if (waiting != 0 || missing != 0) {
            throw new RoundFailed(
                    Result.Verdict.LOST,
                    "the migration is completed, but " + missing + " pages are missing and " + waiting
                            + " threads of the guest wait for one");
        }
    }
}
