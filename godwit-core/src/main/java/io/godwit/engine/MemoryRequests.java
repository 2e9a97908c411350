// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.memory.GuestMemory;
import io.godwit.memory.PageRequests;
import io.godwit.pump.MissingPages;

/** A memory's page requests as the pump wants them. */
record MemoryRequests(PageRequests requests) implements MissingPages {
    MemoryRequests(GuestMemory memory) {
        this(memory.requests());
    }

    @Override
    public void drain(Visitor visitor) {
        requests.drain(visitor::page);
    }

    @Override
    public void reissue() {
        requests.reissue();
    }

    @Override
    public long outstanding() {
        return requests.outstanding();
    }
}
