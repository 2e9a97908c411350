// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.memory.PageVisitor;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** A migration from one guest to another in the same process, without stream and network: precopy passes, switchover, postcopy on request. One thread. */
class LocalMigration {
    final ChurnGuest source;
    final ChurnGuest destination;
    private final PageSource from;
    private final PageSink to;
    private final BlockTable table;
    private final PageBitmap[] dirty;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(Pages.SIZE);
    private final Semaphore wake = new Semaphore(0);

    LocalMigration(ChurnGuest source, ChurnGuest destination) {
        this.source = source;
        this.destination = destination;
        from = source.memory().asSource();
        to = destination.memory().asSink();
        table = from.blocks();
        dirty = new PageBitmap[table.size()];
        for (int block = 0; block < dirty.length; block++) {
            dirty[block] = new PageBitmap(table.get(block).pages());
            dirty[block].setAll();
        }
        from.trackDirty(true);
    }

    /** Sends all that is dirty, and looks what became dirty meanwhile. */
    void precopyPass() {
        forEachDirty(this::store);
        harvest();
    }

    /** The guest stops and its last marks are collected. */
    void stop() throws InterruptedException {
        Stopped.stop(source);
        harvest();
    }

    /** The rest of a precopy. */
    void completePrecopy() {
        forEachDirty(this::store);
        destination.loadDevices(source.saveDevices());
    }

    /** The rest of a precopy but one page, which is left for postcopy; the destination runs. */
    void completePrecopyBut(int block, long page) {
        forEachDirty(this::store);
        dirty[block].set(page);
        switchToPostcopy();
    }

    /** The destination forgets what is dirty and runs. */
    void switchToPostcopy() {
        discardDirty();
        to.beginPostcopy();
        destination.memory().requests().wakeWith(wake::release);
        List<DeviceSection> devices = source.saveDevices();
        destination.loadDevices(devices);
        destination.start();
    }

    /** Serves requests only, until the condition holds; it is looked at after each wake-up. */
    void serveRequestsUntil(String what, java.util.function.BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            wake.tryAcquire(1, TimeUnit.MILLISECONDS);
            destination.memory().requests().drain(this::place);
        }
    }

    /** Sends all the rest in order, requests first. */
    void completePostcopy() {
        forEachDirty((block, page) -> {
            destination.memory().requests().drain(this::place);
            place(block, page);
        });
        assertThat(destination.memory().missingPages()).isZero();
        assertThat(destination.memory().requests().outstanding()).isZero();
    }

    void harvest() {
        for (int block = 0; block < dirty.length; block++) {
            from.harvestDirty(block, dirty[block]);
        }
    }

    void store(int block, long page) {
        if (from.isZero(block, page)) {
            to.storeZero(block, page);
        } else {
            from.read(block, page, buffer.clear());
            to.store(block, page, buffer, 0);
        }
    }

    void place(int block, long page) {
        dirty[block].clear(page);
        if (from.isZero(block, page)) {
            to.placeZero(block, page);
        } else {
            from.read(block, page, buffer.clear());
            to.place(block, page, buffer, 0);
        }
    }

    PageBitmap dirty(int block) {
        return dirty[block];
    }

    private void forEachDirty(PageVisitor visitor) {
        for (int block = 0; block < dirty.length; block++) {
            for (long page = dirty[block].nextSet(0); page >= 0; page = dirty[block].nextSet(page + 1)) {
                dirty[block].clear(page);
                visitor.page(block, page);
            }
        }
    }

    private void discardDirty() {
        for (int block = 0; block < dirty.length; block++) {
            long first = dirty[block].nextSet(0);
            while (first >= 0) {
                long end = dirty[block].nextClear(first);
                end = end < 0 ? dirty[block].pages() : end;
                to.discard(block, first, end - first);
                first = dirty[block].nextSet(end);
            }
        }
    }
}
