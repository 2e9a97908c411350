// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whose folders a bench removes. */
class WorkplaceTest {
    @TempDir
    private Path place = Path.of("");

    private Path folder(String name, String... files) throws IOException {
        Path folder = place.resolve(name);
        Files.createDirectories(folder.resolve("store"));
        for (String file : files) {
            Files.writeString(folder.resolve(file), "x");
        }
        return folder;
    }

    @Test
    void itsOwnIsRemovedInTheEnd() throws IOException {
        Path folder;
        try (Workplace workplace = Workplace.in(place)) {
            folder = workplace.folder();
            Files.createDirectories(folder.resolve("store/deep"));
        }
        assertThat(folder).doesNotExist();
    }

    @Test
    void whatADeadBenchHasLeftIsRemovedAndNothingElse() throws IOException {
        Path dead = folder("godwit-bench1", "lock", "store/ram-0");
        Path notOurs = folder("godwit-bench2", "store/ram-0");
        Path other = folder("something", "lock");
        try (Workplace first = Workplace.in(place)) {
            assertThat(dead).doesNotExist();
            assertThat(notOurs).exists();
            assertThat(other).exists();
            try (Workplace second = Workplace.in(place)) {
                assertThat(first.folder())
                        .as("in use")
                        .isNotEqualTo(second.folder())
                        .exists();
            }
        }
    }
}
