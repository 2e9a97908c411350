// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.Pages;
import io.godwit.pump.PageSink;
import io.godwit.pump.PageSource;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What sync points are for ({@code spec/multifd.md §5}): each page's contents are stored at the destination in the order in which the source sent them, none left out, whatever became of the
 * channels; so a page is never overtaken by its older copy, and what comes behind a lost one is never stored. Watches both memories of one precopy after the other.
 */
final class PageVersions {
    private record Page(int block, long page) {}

    private final Map<Page, List<ByteBuffer>> sent = new HashMap<>();
    private final Map<Page, Integer> stored = new HashMap<>();
    private int again;
    private @Nullable String wrong;

    /** To be put between both ends and their memories. */
    Seams seams() {
        return Seams.NONE.withPages(Source::new).withSink(Sink::new);
    }

    /** Fails if a page was ever stored out of order. */
    void inOrder() {
        assertThat(wrong).isNull();
    }

    /** How often a page was stored that had been there before: where nothing comes twice there is no order. */
    int again() {
        return again;
    }

    private void send(int block, long page, ByteBuffer bytes) {
        sent.computeIfAbsent(new Page(block, page), _ -> new ArrayList<>()).add(bytes);
    }

    private void store(int block, long page, ByteBuffer bytes) {
        Page which = new Page(block, page);
        int version = stored.merge(which, 1, Integer::sum) - 1;
        again += version > 0 ? 1 : 0;
        List<ByteBuffer> versions = sent.getOrDefault(which, List.of());
        if (wrong == null
                && (version >= versions.size() || !versions.get(version).equals(bytes))) {
            wrong = which + ": what was stored as number " + version + " is what was sent as number "
                    + versions.indexOf(bytes);
        }
    }

    private static ByteBuffer zero() {
        return ByteBuffer.allocate(Pages.SIZE);
    }

    private final class Source extends Mutants.Source {
        Source(PageSource to) {
            super(to);
        }

        /** A migration begins; the one before is over at both ends. */
        @Override
        public void trackDirty(boolean on) {
            if (on) {
                sent.clear();
                stored.clear();
            }
            super.trackDirty(on);
        }

        /** A page of which this is said is not read. */
        @Override
        public boolean isZero(int block, long page) {
            boolean is = super.isZero(block, page);
            if (is) {
                send(block, page, zero());
            }
            return is;
        }

        @Override
        public void read(int block, long page, ByteBuffer out) {
            int at = out.position();
            super.read(block, page, out);
            send(block, page, ByteBuffer.allocate(Pages.SIZE).put(0, out, at, Pages.SIZE));
        }
    }

    private final class Sink extends Mutants.Sink {
        Sink(PageSink to) {
            super(to);
        }

        @Override
        public void store(int block, long page, ByteBuffer in, int position) {
            PageVersions.this.store(block, page, in.slice(position, Pages.SIZE));
            super.store(block, page, in, position);
        }

        @Override
        public void storeZero(int block, long page) {
            PageVersions.this.store(block, page, zero());
            super.storeZero(block, page);
        }
    }
}
