// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A test of commands in processes of their own, which have a folder for what is temporary; none of them leaves anything there. */
public abstract class InProcesses {
    /** How the JVM's own begin, one for each process of a user. */
    private static final String JVMS = "hsperfdata";

    @TempDir
    protected Path temp;

    protected Programs programs;

    @BeforeEach
    final void begin() {
        programs = new Programs(temp);
    }

    @AfterEach
    final void end() throws IOException {
        programs.close();
        assertThat(left()).as("nothing is left").isEmpty();
    }

    protected final List<Path> left() throws IOException {
        try (var files = Files.list(temp)) {
            return files.filter(file -> !file.getFileName().toString().startsWith(JVMS))
                    .toList();
        }
    }
}
