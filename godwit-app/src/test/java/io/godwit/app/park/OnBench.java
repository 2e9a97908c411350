// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A test with a {@link Bench} of its own. */
abstract class OnBench {
    @TempDir
    Path folder;

    Bench bench;

    @BeforeEach
    final void open() throws IOException {
        bench = new Bench(folder);
    }

    @AfterEach
    final void end() throws Exception {
        bench.close();
    }
}
