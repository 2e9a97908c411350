// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Godwit and real QEMUs: {@code -Dgodwit.matrix=all} carries out every cell of the matrix, another text those cells in whose name it is, else a few of them are. */
class MatrixQemuIT {
    private static final String WANTED = System.getProperty("godwit.matrix", "");

    static List<Cell> cells() {
        if (WANTED.isEmpty()) {
            return Cell.diagonal();
        }
        return Cell.all().stream()
                .filter(cell -> WANTED.equals("all") || cell.toString().contains(WANTED))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("cells")
    @Timeout(180)
    void whatComesOfIt(Cell cell, @TempDir Path scratch) throws Exception {
        cell.version().need();
        long began = System.nanoTime();
        try (Trial trial =
                cell.role() == Cell.Role.PARK ? new ParkTrial(cell, scratch) : new UnparkTrial(cell, scratch)) {
            String seen = trial.run();
            Seen.write(cell, seen, System.nanoTime() - began);
        }
    }

    @AfterAll
    static void forget() throws IOException {
        ParkedImages.forget();
    }

    @Test
    void theDiagonalMeetsEveryVersionAndBothRoles() {
        assertThat(Cell.all()).containsAll(Cell.diagonal()).doesNotHaveDuplicates();
        assertThat(Cell.diagonal().stream().map(Cell::version).collect(Collectors.toSet()))
                .isEqualTo(EnumSet.allOf(QemuVersion.class));
        assertThat(Cell.diagonal().stream().map(Cell::role).collect(Collectors.toSet()))
                .isEqualTo(EnumSet.allOf(Cell.Role.class));
    }
}
