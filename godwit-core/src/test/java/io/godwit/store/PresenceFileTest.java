// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.sim.SimDisk;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PresenceFileTest {
    private static final Path FOLDER = Path.of("/vms/web1");
    private static final Path FILE = FOLDER.resolve(PresenceFile.NAME);
    private static final int ATTEMPT = 3;
    private static final long GENERATION = 9;

    private final SimDisk disk = new SimDisk(new SplittableRandom(1));
    private final BlockTable table =
            new BlockTable(List.of(BlockInfo.of("pc.ram", 400_000L << 12), BlockInfo.of("rom", 70L << 12)));
    private final Presence presence = new Presence(table);
    private final SplittableRandom dice = new SplittableRandom(42);

    @BeforeEach
    void folder() throws DiskException {
        disk.createFolder(FOLDER);
    }

    /** Receives some pages, every third of them zero. */
    private void receive(int pages) {
        for (int i = 0; i < pages; i++) {
            int block = dice.nextInt(50) == 0 ? 1 : 0;
            long page = dice.nextLong(table.get(block).pages());
            if (page % 3 == 0) {
                presence.zero(block).set(page);
            }
            presence.received(block).set(page);
        }
    }

    private PresenceFile rewrite() throws DiskException {
        PresenceFile log = PresenceFile.rewrite(disk, FOLDER, presence, presence.snapshot(), ATTEMPT, GENERATION);
        settle();
        return log;
    }

    private void append(PresenceFile log) throws DiskException {
        log.append(presence.snapshot());
        settle();
    }

    private void settle() {
        for (int block = 0; block < table.size(); block++) {
            for (int i = 0; i < presence.received(block).wordCount(); i++) {
                presence.durable(block).setWord(i, presence.received(block).word(i));
            }
        }
    }

    private Presence reread(int attempt, long generation) throws DiskException {
        Presence read = new Presence(table);
        try (DiskFile file = disk.openForReading(FILE)) {
            assertThat(PresenceReader.read(file, attempt, read)).isEqualTo(generation);
        }
        return read;
    }

    private static void assertSame(Presence read, PageBitmap[] received, PageBitmap[] zero) {
        for (int block = 0; block < received.length; block++) {
            assertThat(read.received(block)).isEqualTo(received[block]);
            assertThat(read.durable(block)).isEqualTo(received[block]);
            assertThat(read.zero(block)).isEqualTo(zero[block]);
        }
    }

    private PageBitmap[] zeroes() {
        return new PageBitmap[] {presence.zero(0).copy(), presence.zero(1).copy()};
    }

    private long length() {
        return Objects.requireNonNull(disk.peek(FILE)).length;
    }

    @Test
    void whatWasSaidIsReadBackOverManyRecords() throws DiskException {
        receive(20_000);
        PresenceFile log = rewrite();
        assertSame(reread(ATTEMPT, GENERATION), presence.snapshot(), zeroes());
        for (int i = 0; i < 5; i++) {
            receive(3000);
            append(log);
            assertSame(reread(ATTEMPT, GENERATION), presence.snapshot(), zeroes());
        }
        append(log);
        assertSame(reread(ATTEMPT, GENERATION), presence.snapshot(), zeroes());
    }

    @Test
    void aFileOfAnotherAttemptSaysNothing() throws DiskException {
        receive(100);
        rewrite();

        assertThat(reread(ATTEMPT + 1, 0).missing()).isEqualTo(table.totalPages());
    }

    @Test
    void aDamagedOrCutRecordEndsTheFileBeforeItself() throws DiskException {
        List<Long> ends = new ArrayList<>();
        List<PageBitmap[]> states = new ArrayList<>();
        List<PageBitmap[]> zeroes = new ArrayList<>();
        receive(50);
        PresenceFile log = rewrite();
        for (int i = 0; i < 4; i++) {
            ends.add(length());
            states.add(presence.snapshot());
            zeroes.add(zeroes());
            receive(20);
            append(log);
        }
        long end = length();
        for (long at = ends.getFirst(); at < end; at++) {
            int whole = 0;
            while (whole + 1 < ends.size() && at >= ends.get(whole + 1)) {
                whole++;
            }
            int mask = 1 << dice.nextInt(8);
            disk.damage(FILE, at, mask);
            assertSame(reread(ATTEMPT, GENERATION), states.get(whole), zeroes.get(whole));
            disk.damage(FILE, at, mask);
        }
        for (long cut = end - 1; cut >= ends.getFirst(); cut -= 7) {
            try (DiskFile file = disk.openForWriting(FILE)) {
                file.setSize(cut);
            }
            int whole = 0;
            while (whole + 1 < ends.size() && cut >= ends.get(whole + 1)) {
                whole++;
            }
            assertSame(reread(ATTEMPT, GENERATION), states.get(whole), zeroes.get(whole));
        }
    }

    @Test
    void aDamagedHeaderSaysNothing() throws DiskException {
        receive(50);
        rewrite();
        for (long at = 0; at < PresenceLog.HEADER; at++) {
            disk.damage(FILE, at, 16);
            assertThat(reread(ATTEMPT, 0).missing()).isEqualTo(table.totalPages());
            disk.damage(FILE, at, 16);
        }
    }

    @Test
    void anAppendCostsWhatHasChangedAndALongFileIsToBeReplaced() throws DiskException {
        receive(30_000);
        PresenceFile log = rewrite();
        long fresh = length();
        assertThat(log.isLong()).isFalse();

        presence.received(0).set(presence.received(0).nextClear(0));
        append(log);
        assertThat(length() - fresh).as("bytes for one page").isLessThan(64);

        for (int i = 0; !log.isLong(); i++) {
            assertThat(i).isLessThan(1000);
            receive(2000);
            append(log);
        }
        assertThat(length()).isGreaterThan(2 * fresh);
        rewrite();
        assertSame(reread(ATTEMPT, GENERATION), presence.snapshot(), zeroes());
    }
}
