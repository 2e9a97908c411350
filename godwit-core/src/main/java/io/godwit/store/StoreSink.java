// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.page.ZeroPage;
import io.godwit.pump.PageSink;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The store's files as a destination's memory. Methods of {@link PageSink} on the migration's loop; {@link VmStore#checkpoint} may run on another thread meanwhile,
 * which holds the loop up for the writes of what is kept back (some MiB) and a copy of the bitmaps, never for a sync.
 *
 * <p>Pages are kept back and written together, behind the one who brings them ({@link Behind}). They are received in the sense of the running process; that they are on disk is said by a checkpoint
 * only. Disk errors come as {@link StoreException}: the page that was being stored is then not received, those before it are, and the same page may be stored again.
 */
public final class StoreSink implements PageSink {
    private final BlockTable table;
    private final BlockFiles files;
    private final Presence presence;
    private final WriteBehind behind;
    private final ByteBuffer one = ByteBuffer.allocateDirect(Pages.SIZE);
    private final boolean[] unsynced;
    private final Object lock = new Object();
    private PageBatch batch;
    private boolean postcopy;
    /** Why a sync failed, or null. */
    private @Nullable String failed;

    /** Bytes taken since the last settling. */
    private long unsettled;

    private boolean sealed;

    /**
     * @param postcopy whether postcopy has begun in an earlier process: what is not durable in the files may then hold anything
     */
    StoreSink(BlockFiles files, Presence presence, boolean postcopy, Behind way) {
        this.table = files.table();
        this.files = files;
        this.presence = presence;
        this.behind = new WriteBehind(files, way);
        this.batch = new PageBatch(way.pages());
        this.unsynced = new boolean[table.size()];
        Arrays.fill(unsynced, true); // their lengths are not synced either
        this.postcopy = postcopy;
    }

    @Override
    public BlockTable blocks() {
        return table;
    }

    @Override
    public PageBitmap received(int block) {
        return presence.received(block);
    }

    @Override
    public void store(int block, long page, ByteBuffer in, int position) {
        synchronized (lock) {
            requirePrecopy("store a page unasked");
            presence.received(block).clear(page);
            data(block, page, in, position);
            presence.received(block).set(page);
        }
    }

    @Override
    public void store(int block, long first, int count, ByteBuffer in, int position, int stride) {
        synchronized (lock) {
            requirePrecopy("store pages unasked");
            presence.received(block).clearRange(first, first + count);
            int done = 0;
            while (done < count) {
                makeRoom();
                int n = batch.add(block, first + done, count - done, in, position + done * stride, stride);
                written(block, first + done, n);
                presence.received(block).setRange(first + done, first + done + n);
                done += n;
            }
        }
    }

    @Override
    public void storeZero(int block, long page) {
        synchronized (lock) {
            requirePrecopy("store a page unasked");
            presence.received(block).clear(page);
            zero(block, page);
            presence.received(block).set(page);
        }
    }

    @Override
    public void read(int block, long page, ByteBuffer out) {
        synchronized (lock) {
            requirePrecopy("read a page back");
            if (!presence.received(block).get(page)) {
                throw new IllegalStateException("page " + page + " of " + table.get(block) + " was not received");
            }
            if (presence.zero(block).get(page)) {
                PageBatch.putZeroes(out);
                return;
            }
            load(block, page);
            out.put(one.flip());
        }
    }

    @Override
    public void discard(int block, long firstPage, long count) {
        synchronized (lock) {
            requirePrecopy("discard pages");
            Objects.checkFromIndexSize(firstPage, count, table.get(block).pages());
            presence.received(block).clearRange(firstPage, firstPage + count);
        }
    }

    /** Again it does nothing: a hand-over begins it, and so does the engine. */
    @Override
    public void beginPostcopy() {
        synchronized (lock) {
            if (!postcopy) {
                requirePrecopy("begin postcopy");
                postcopy = true;
            }
        }
    }

    @Override
    public boolean place(int block, long page, ByteBuffer in, int position) {
        synchronized (lock) {
            requirePostcopy();
            if (presence.received(block).get(page)) {
                return false;
            }
            data(block, page, in, position);
            presence.received(block).set(page);
            return true;
        }
    }

    @Override
    public boolean placeZero(int block, long page) {
        synchronized (lock) {
            requirePostcopy();
            if (presence.received(block).get(page)) {
                return false;
            }
            zero(block, page);
            presence.received(block).set(page);
            return true;
        }
    }

    @Override
    public void reset() {
        synchronized (lock) {
            if (postcopy || sealed) {
                requirePrecopy("forget what was received");
            }
            drop();
            try {
                for (int block = 0; block < table.size(); block++) {
                    presence.received(block).clearAll();
                    presence.touched(block).clearAll();
                    files.clear(block);
                    unsynced[block] = true;
                }
            } catch (DiskException e) {
                throw Failures.of(e);
            }
            failed = null;
        }
    }

    /** Pages not received. Counts bits. */
    public long missing() {
        return presence.missing();
    }

    /** Whether postcopy has begun. */
    public boolean isPostcopy() {
        synchronized (lock) {
            return postcopy;
        }
    }

    private void data(int block, long page, ByteBuffer in, int position) {
        makeRoom();
        batch.add(block, page, in, position);
        written(block, page, 1);
    }

    private void written(int block, long first, int count) {
        presence.touched(block).setRange(first, first + count);
        presence.zero(block).clearRange(first, first + count);
        unsynced[block] = true;
        unsettled += (long) count << Pages.SHIFT;
    }

    /** A page that was never written is a hole, which reads as zeroes and costs nothing. */
    private void zero(int block, long page) {
        if (presence.touched(block).get(page) && !reallyZero(block, page)) {
            makeRoom();
            batch.addZero(block, page);
            unsynced[block] = true;
        }
        presence.zero(block).set(page);
    }

    /** After a restart every page that is not durable is taken for touched. Most are not: a look is cheaper than filling a sparse file with zeroes. */
    private boolean reallyZero(int block, long page) {
        load(block, page);
        return ZeroPage.isZero(one, 0);
    }

    private void load(int block, long page) {
        if (batch.holds(block, page) || behind.holds(block, page)) {
            flush();
        }
        try {
            one.clear();
            files.ram(block).read(one, page << Pages.SHIFT);
            if (one.hasRemaining()) {
                throw new StoreException(
                        StoreException.Kind.CORRUPT,
                        files.ramPath(block) + " ends before page " + page + ": something else has shortened it");
            }
        } catch (DiskException e) {
            throw Failures.of(e);
        }
    }

    private void makeRoom() {
        if (!batch.isFull()) {
            return;
        }
        try {
            batch = behind.swap(batch);
        } catch (DiskException e) {
            throw Failures.of(e);
        }
    }

    private void flush() {
        try {
            behind.flush(batch);
        } catch (DiskException e) {
            throw Failures.of(e);
        }
    }

    private void drop() {
        behind.drop();
        batch.clear();
    }

    private void requirePrecopy(String what) {
        requireUsable();
        if (postcopy) {
            throw new IllegalStateException(
                    "cannot " + what + ": postcopy has begun, and the pages that are there stay as they are");
        }
    }

    private void requirePostcopy() {
        requireUsable();
        if (!postcopy) {
            throw new IllegalStateException("a page can be placed only after postcopy has begun");
        }
    }

    private void requireUsable() {
        if (sealed) {
            throw new IllegalStateException("the VM is complete, or its folder is closed: no page can be stored");
        }
        if (failed != null) {
            throw new StoreException(
                    StoreException.Kind.SYNC_FAILED,
                    "no page is taken after a failed sync, until the store was rolled back to its last checkpoint: "
                            + failed);
        }
    }

    /** Writes what was kept back and says what is written: for a checkpoint. The marks of blocks to be synced move into {@code toSync}. */
    PageBitmap[] settle(boolean[] toSync) {
        synchronized (lock) {
            requireUsable();
            flush();
            for (int block = 0; block < unsynced.length; block++) {
                toSync[block] = unsynced[block];
                unsynced[block] = false;
            }
            unsettled = 0;
            return presence.snapshot();
        }
    }

    /** Bytes of pages taken since {@link #settle}. */
    long unsettled() {
        synchronized (lock) {
            return unsettled;
        }
    }

    /** A sync has failed. */
    void fail(String reason) {
        synchronized (lock) {
            failed = reason;
        }
    }

    /** Only what is durable counts as received; pages are still refused. */
    void forgetUnsynced() {
        synchronized (lock) {
            failed = failed == null ? "it was given up" : failed;
            drop();
            presence.fallBackToDurable();
            Arrays.fill(unsynced, true);
        }
    }

    /** Pages are taken again. */
    void heal() {
        synchronized (lock) {
            failed = null;
        }
    }

    /** No page is taken any more, and what was not written is not. */
    void seal() {
        synchronized (lock) {
            sealed = true;
            drop();
        }
    }
}
