// SPDX-License-Identifier: Apache-2.0

package io.godwit.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.classfile.ClassFile;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class NewClassFilesTest {
    @TempDir
    private Path temp;

    @Test
    void theJvmTakesAllOfPicocliAsItIsThen() throws Exception {
        URI picocli = CommandLine.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI();
        Path renewed = temp.resolve("new.jar");
        assertThat(NewClassFiles.rewrite(Path.of(picocli), renewed)).isGreaterThan(180);

        try (ZipFile before = new ZipFile(Path.of(picocli).toFile());
                ZipFile jar = new ZipFile(renewed.toFile());
                URLClassLoader loader =
                        new URLClassLoader(new URL[] {renewed.toUri().toURL()}, null)) {
            assertThat(names(jar)).isEqualTo(names(before));
            for (String name : names(jar)) {
                if (name.startsWith("picocli/") && name.endsWith(".class")) {
                    byte[] bytes = jar.getInputStream(jar.getEntry(name)).readAllBytes();
                    assertThat(ClassFile.of().parse(bytes).majorVersion())
                            .as(name)
                            .isEqualTo(ClassFile.JAVA_6_VERSION);
                    String title = name.substring(0, name.length() - ".class".length());
                    // Initialised, so verified.
                    assertThat(Class.forName(title.replace('/', '.'), true, loader)
                                    .getClassLoader())
                            .isSameAs(loader);
                }
            }
        }
    }

    private static List<String> names(ZipFile jar) {
        return jar.stream().map(ZipEntry::getName).toList();
    }
}
