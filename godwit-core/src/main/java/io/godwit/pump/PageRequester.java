// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

/** Asks the source for the pages that the guest waits for, and sees which of them stay unanswered. Used by the loop only; nothing is allocated per page. */
final class PageRequester {
    private final MissingPages missingPages;
    private final ReturnPathWriter returnPath;
    private final DestinationStats stats;
    private final RequestLog requests = new RequestLog();
    private final MissingPages.Visitor request = this::request;
    private long requestedAt;

    PageRequester(MissingPages missingPages, ReturnPathWriter returnPath, DestinationStats stats) {
        this.missingPages = missingPages;
        this.returnPath = returnPath;
        this.stats = stats;
    }

    void produce(PageSink memory, long now) {
        requestedAt = now;
        missingPages.drain(request);
        requests.look(memory, now);
    }

    private void request(int block, long page) {
        returnPath.request(block, page);
        requests.sent(block, page, requestedAt);
        stats.requests++;
    }

    void reissue() {
        missingPages.reissue();
    }

    /** A new channel: what was asked for will be asked for again. */
    void forgetChannel() {
        requests.clear();
    }

    /** As {@link RequestLog#owedSince}. */
    long owedSince() {
        return requests.owedSince();
    }
}
