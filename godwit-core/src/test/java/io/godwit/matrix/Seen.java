// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import io.godwit.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;

/** What was seen, a JSON object per line, for {@link CompatibilityPage}. */
final class Seen {
    /** Beside the compiled classes. */
    static final String FILE = "matrix.jsonl";

    private Seen() {}

    /** @param seen empty if all went as it should */
    static void write(Cell cell, String seen, long nanos) throws IOException {
        JsonObject line = JsonObject.builder()
                .put("qemu", cell.version().series())
                .put("role", cell.role().word())
                .put("preempt", cell.preempt())
                .put("way", cell.way().name())
                .put("seen", seen)
                .put("milliseconds", TimeUnit.NANOSECONDS.toMillis(nanos))
                .build();
        Path file = Path.of(System.getProperty("godwit.classes")).resolveSibling(FILE);
        Files.writeString(
                file, line.toString() + System.lineSeparator(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
}
