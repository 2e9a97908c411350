// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The core where nobody has added zstd-jni: its classes once more, in a class loader that sees nothing else but the JDK. */
class ZstdMissingTest {
    @Test
    void zstdIsRefusedByNameAndTheOthersWork() throws Exception {
        URL classes = Path.of(System.getProperty("godwit.classes")).toUri().toURL();
        // No parent: even the platform's loader finds the classes of all modules.
        try (URLClassLoader alone = new URLClassLoader(new URL[] {classes}, null)) {
            Class<?> compression = alone.loadClass(MultifdCompression.class.getName());
            Class<?> setup = alone.loadClass(MultifdSetup.class.getName());
            Method available = compression.getMethod("available");
            Constructor<?> decoder =
                    alone.loadClass(MultifdDecoder.class.getName()).getConstructor(setup);
            Constructor<?> with = setup.getConstructor(UUID.class, int.class, compression);
            for (Object value : compression.getEnumConstants()) {
                boolean zstd = value.toString().equals("ZSTD");
                Object arguments = with.newInstance(new UUID(0, 0), 2, value);

                assertThat(available.invoke(value)).isEqualTo(!zstd);
                if (zstd) {
                    assertThatThrownBy(() -> decoder.newInstance(arguments))
                            .cause()
                            .isInstanceOf(UnsupportedOperationException.class)
                            .hasMessageContaining("needs the library com.github.luben:zstd-jni")
                            .hasMessageContaining("set multifd-compression to zlib or none");
                } else {
                    ((AutoCloseable) decoder.newInstance(arguments)).close();
                }
            }
        }
        assertThat(MultifdCompression.ZSTD.available())
                .as("it is there for the tests")
                .isTrue();
    }
}
