// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The check that finds a page out of date: on dumps that are made here, each with one thing wrong. */
class BootSectorTest {
    private static final int MIB = 1 << 20;
    private static final BootSector COUNTING = BootSector.counting(MIB, 2 * MIB);
    private static final BootSector NOISE = BootSector.noise(MIB, 2 * MIB);

    /** The memory of a guest that has been through all its pages {@code rounds} times, and through the first {@code boundary} of them once more. */
    private static byte[] dump(BootSector guest, int rounds, int boundary) {
        byte[] memory = new byte[guest.end() - guest.first()];
        byte[] page = new byte[BootSector.PAGE];
        for (int i = 0; i < guest.pages(); i++) {
            guest.fill(i, page);
            page[0] += (byte) (rounds + (i < boundary ? 1 : 0));
            System.arraycopy(page, 0, memory, i * BootSector.PAGE, BootSector.PAGE);
        }
        return memory;
    }

    private static @Nullable String afterAdding(BootSector guest, byte[] memory, int page, int at, int what) {
        memory[page * BootSector.PAGE + at] += (byte) what;
        return guest.damage(memory);
    }

    @Test
    void everyMomentOfTheGuestsLifeIsFine() {
        for (BootSector guest : new BootSector[] {COUNTING, NOISE}) {
            for (int rounds : new int[] {0, 1, 7, 254, 255, 256}) {
                for (int boundary : new int[] {0, 1, 100, guest.pages() - 1, guest.pages()}) {
                    assertThat(guest.damage(dump(guest, rounds, boundary)))
                            .as("%s, %d rounds and %d pages", guest, rounds, boundary)
                            .isNull();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 99, 127, 128, 200, 254})
    void onePageThatIsOutOfDateIsFoundWhereverItIs(int page) {
        int boundary = 128;
        for (int late = 2; late < 255; late += 23) {
            assertThat(afterAdding(COUNTING, dump(COUNTING, 300, boundary), page, 0, -late))
                    .as("page %d is %d rounds behind", page, late)
                    .isNotNull();
        }
        // One round behind is what pages after the boundary are: only a page away from it shows.
        if (page != boundary - 1) {
            assertThat(afterAdding(COUNTING, dump(COUNTING, 300, boundary), page, 0, -1))
                    .contains(" was counted ");
        }
    }

    @Test
    void theFirstAndTheLastPageCanBeOutOfDateToo() {
        assertThat(afterAdding(COUNTING, dump(COUNTING, 9, 128), 0, 0, -3)).contains("page 1 ");
        assertThat(afterAdding(COUNTING, dump(COUNTING, 9, 128), 255, 0, -3)).contains("page 255 ");
    }

    @Test
    void twoBoundariesAreOneTooMany() {
        byte[] memory = dump(COUNTING, 9, 100);
        for (int page = 150; page < 200; page++) {
            memory[page * BootSector.PAGE]++;
        }
        assertThat(COUNTING.damage(memory)).contains("page 150 ").contains("from 100 on");
    }

    @Test
    void aPageOfZeroesOrOfAnothersNoiseIsFoundAndNamed() {
        byte[] lost = dump(NOISE, 3, 17);
        Arrays.fill(lost, 40 * BootSector.PAGE, 41 * BootSector.PAGE, (byte) 0);
        assertThat(NOISE.damage(lost)).startsWith("page 40 at 0x128000: byte 1 ");

        byte[] swapped = dump(NOISE, 3, 17);
        System.arraycopy(swapped, 40 * BootSector.PAGE, swapped, 41 * BootSector.PAGE, BootSector.PAGE);
        assertThat(NOISE.damage(swapped)).startsWith("page 41 ");
    }

    @Test
    void anyByteThatIsWrongIsFound() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int i = 0; i < 200; i++) {
            int page = random.nextInt(NOISE.pages());
            int at = 1 + random.nextInt(BootSector.PAGE - 1);
            int what = 1 + random.nextInt(255);
            assertThat(afterAdding(NOISE, dump(NOISE, 3, 17), page, at, what))
                    .as("seed %d: %d added to byte %d of page %d", seed, what, at, page)
                    .startsWith("page " + page + " ")
                    .contains("byte " + at + " ");
        }
    }

    @Test
    void aPieceAtATimeItIsTheSame() {
        byte[] memory = dump(NOISE, 3, 17);
        BootSector.Inspection fine = NOISE.inspect();
        for (int at = 0; at < memory.length; at += 16 * BootSector.PAGE) {
            assertThat(fine.look(Arrays.copyOfRange(memory, at, at + 16 * BootSector.PAGE)))
                    .isNull();
        }
        assertThat(fine.pages()).isEqualTo(NOISE.pages());

        memory[40 * BootSector.PAGE]++;
        BootSector.Inspection late = NOISE.inspect();
        assertThat(late.look(Arrays.copyOf(memory, 32 * BootSector.PAGE))).isNull();
        assertThat(late.look(Arrays.copyOfRange(memory, 32 * BootSector.PAGE, 64 * BootSector.PAGE)))
                .isEqualTo(NOISE.damage(memory))
                .startsWith("page 40 at 0x128000 ");
    }

    @Test
    void aDumpOfTheWrongSizeIsNoDump() {
        assertThat(COUNTING.damage(new byte[12])).isEqualTo("12 bytes of memory, expected 1048576");
    }

    @Test
    void theSectorIsTheOneOfTheCaptures() {
        // The layout of vectors/README.md, with the gaps filled in by hand.
        String code =
                "fae4920c02e69231c08ed80f0116" + "567c" + "0f20c06683c8010f22c0ea" + "1f7c" + "080066b810008ed88ec08ed0"
                        + "b8" + "00001000" + "fe0005001000003d" + "00002000" + "72f2" + "eb" + "eb"
                        + "0000000000000000ffff0000009acf00ffff00000092cf00" + "1700" + "3e7c0000";
        assertThat(HexFormat.of().formatHex(COUNTING.sector()))
                .startsWith(code)
                .endsWith("55aa")
                .hasSize(1024);
    }
}
