// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Assumptions;

/** The captures of real migrations; -Dgodwit.vectors=DIR says where they are, else they lie beside the repository. */
final class Captures {
    private static final String FORWARD = ".src2dst.bin.gz";
    private static final String BACKWARD = ".dst2src.bin.gz";

    private Captures() {}

    /**
     * One recorded connection, or a stream written to a file.
     *
     * @param vector folder, for example {@code v100-postcopy}
     * @param connection for example {@code r0.c0}, relay and number in the order of accept; {@code stream} or {@code mapped} for files
     */
    record Connection(String vector, String connection) {
        byte[] forward() {
            boolean file = !connection.contains(".");
            return unpack(folder().resolve(vector).resolve(file ? connection + ".bin.gz" : connection + FORWARD));
        }

        byte[] backward() {
            return unpack(folder().resolve(vector).resolve(connection + BACKWARD));
        }

        /** The main connection of the first migration, which taught block list and section id. */
        Connection first() {
            return new Connection(vector, connection.startsWith("r") ? "r0.c0" : connection);
        }

        boolean isRecovery() {
            return connection.startsWith("r") && !connection.startsWith("r0");
        }

        @Override
        public String toString() {
            return vector + "/" + connection;
        }
    }

    static Path folder() {
        String given = System.getProperty("godwit.vectors");
        Path root = Path.of(System.getProperty("godwit.root", "."));
        Path folder = given != null
                ? Path.of(given)
                : root.resolve("../shared/vectors").normalize();
        Assumptions.assumeTrue(
                Files.isDirectory(folder),
                "no captures at " + folder + "; say where they are with -Dgodwit.vectors=DIR");
        return folder;
    }

    /** All connections in the vectors' and the relays' order. */
    static List<Connection> all() {
        try (Stream<Path> files = Files.walk(folder(), 2)) {
            return files.filter(f ->
                            f.toString().endsWith(".bin.gz") && !f.toString().endsWith(BACKWARD))
                    .sorted()
                    .map(f -> new Connection(
                            folder().relativize(f).getName(0).toString(),
                            f.getFileName().toString().replace(FORWARD, "").replace(".bin.gz", "")))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What {@code meta.json} tells about the run. */
    static JsonObject meta(String vector) {
        try {
            return (JsonObject)
                    Json.parse(Files.readString(folder().resolve(vector).resolve("meta.json")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (JsonSyntaxException e) {
            throw new AssertionError("meta.json of " + vector, e);
        }
    }

    private static byte[] unpack(Path file) {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(file), 1 << 16)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
