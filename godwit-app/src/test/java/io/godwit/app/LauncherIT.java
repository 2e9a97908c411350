// SPDX-License-Identifier: Apache-2.0

package io.godwit.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.app.term.ChildCommand;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code ./godwit} as a user starts it, in a copy of this repository. */
class LauncherIT {
    private static final Path ROOT = Path.of(Objects.requireNonNull(System.getProperty("godwit.root")));

    @TempDir
    private Path temp;

    private Path copy;

    @BeforeEach
    void aPlaceForTheCopy() throws IOException {
        copy = Files.createDirectory(temp.resolve("a folder with spaces"));
    }

    @Test
    @Timeout(600)
    void itBuildsOnceAndThenOnlyWhenASourceChanged() throws Exception {
        copyRepository();
        Path link = Files.createSymbolicLink(temp.resolve("godwit-link"), copy.resolve("godwit"));

        Run first = run(link.toString(), "--version");
        assertThat(first.err()).hasLineCount(1).startsWith("godwit: building (");
        assertThat(first.out()).startsWith("godwit ");
        assertThat(first.code()).isZero();
        assertThat(copy.resolve("target/quick/app-1/godwit.aot")).isNotEmptyFile();

        theCacheHasAllOurClasses(link);
        itChoosesTheCompilersAsAProgramThatStartsItselfDoes(link);
        itReadsNamesInAnyLocale(link);

        Run second = run(link.toString(), "--version");
        assertThat(second).isEqualTo(new Run(0, first.out(), ""));

        Path broken = copy.resolve("godwit-core/src/main/java/io/godwit/page/Broken.java");
        Files.writeString(broken, "package io.godwit.page;\n\nclass Broken extends Nothing {}\n");
        Run failed = run(link.toString(), "--version");
        assertThat(failed.code()).isEqualTo(4);
        assertThat(failed.out()).isEmpty();
        assertThat(failed.err())
                .contains("Broken.java:[3,")
                .contains(copy.resolve("target/quick/build.log").toString());

        Files.delete(broken);
        assertThat(run(link.toString(), "--version")).isEqualTo(second);

        Path pom = copy.resolve("godwit-app/pom.xml");
        Files.setLastModifiedTime(pom, FileTime.fromMillis(0));
        Run again = run(link.toString(), "--version");
        assertThat(again.err())
                .as("an older file is a change too")
                .hasLineCount(1)
                .startsWith("godwit: building (");
        assertThat(again.code()).isZero();
        assertThat(copy.resolve("target/quick/app-1")).as("nobody uses it").doesNotExist();
    }

    /** As a timer's or a service's. A shell makes the folder and removes it: this JVM may have such a locale itself. */
    private void itReadsNamesInAnyLocale(Path godwit) throws Exception {
        String script = "name=$(printf 'B\\303\\274ro') && mkdir \"$name\" && env $2 \"$1\" store list --root ."
                + " && env $2 \"$1\" store show --root . \"$name\"; code=$?; rmdir \"$name\"; exit $code";
        for (String locale : List.of("--unset=LANG", "LC_ALL=C")) {
            Run run = run("sh", "-c", script, "sh", godwit.toString(), locale);
            assertThat(run.out()).contains("there is no VM in");
            assertThat(run.err()).contains("there is no parked VM in").doesNotContain("unexpected");
        }
    }

    private void theCacheHasAllOurClasses(Path godwit) throws Exception {
        Path log = temp.resolve("loaded");
        run("env", "GODWIT_JAVA_OPTIONS=-Xlog:class+load:file=" + log, godwit.toString(), "park", "--help");
        List<String> loaded = Files.readAllLines(log).stream()
                .filter(line -> line.contains(" io.godwit.") || line.contains(" picocli."))
                .toList();
        assertThat(loaded).hasSizeGreaterThan(100);
        // What the JVM makes itself, for a switch over types for one, is nobody's class file.
        assertThat(loaded).allMatch(line -> line.contains("shared objects file") || line.contains("$$"));
    }

    private void itChoosesTheCompilersAsAProgramThatStartsItselfDoes(Path godwit) throws Exception {
        for (String line : List.of(
                "park --nonsense",
                "unpark --nonsense",
                "store --nonsense",
                "park --tls-creds x --nonsense",
                "store --nonsense=tls",
                "run --nonsense")) {
            List<String> words = List.of(line.split(" "));
            List<String> command = new ArrayList<>(
                    List.of("env", "GODWIT_JAVA_OPTIONS=-XX:+PrintCommandLineFlags", godwit.toString()));
            command.addAll(words);
            Run run = run(command.toArray(String[]::new));
            assertThat(run.code()).isEqualTo(2);
            assertThat(run.out())
                    .as(line)
                    .startsWith("-XX:")
                    .matches(flags -> flags.contains("-XX:TieredStopAtLevel=1") == ChildCommand.goesQuick(words));
        }
    }

    @ParameterizedTest
    @CsvSource({"25.0.3, 25", "26, 26", "27-ea, 27", "1.8.0_452, 8", "17.0.15, 17"})
    void aJavasReleaseIsReadFromItsReleaseFile(String version, String major) throws Exception {
        Files.writeString(
                copy.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\nOS_ARCH=\"y\"\n");
        assertThat(majorOfCopy()).isEqualTo(major);
    }

    @Test
    void aJavaWithoutAReleaseFileIsAsked() throws Exception {
        Path java = Files.createDirectory(copy.resolve("bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\necho 'Property settings:\n    java.specification.version = 17' >&2\n");
        assertThat(java.toFile().setExecutable(true)).isTrue();
        assertThat(majorOfCopy()).isEqualTo("17");
    }

    @Test
    void aFolderThatHoldsNoJavaHasNoRelease() throws Exception {
        assertThat(majorOfCopy()).isEqualTo("0");
    }

    private String majorOfCopy() throws Exception {
        String script = "set -euo pipefail; . \"$0\"; java_major \"$1\"; echo \"$MAJOR\"";
        Run run = run("bash", "-c", script, ROOT.resolve("bin/jdk.sh").toString(), copy.toString());
        assertThat(run.err()).isEmpty();
        return run.out().strip();
    }

    private void copyRepository() throws IOException {
        for (String part : List.of(
                "pom.xml",
                "LICENSE",
                ".mvn",
                "mvnw",
                "godwit",
                "bin",
                "godwit-bench/pom.xml",
                "godwit-fuzz/pom.xml",
                "godwit-stress/pom.xml")) {
            copyTree(part);
        }
        for (String module : List.of("godwit-core", "godwit-app")) {
            copyTree(module + "/pom.xml");
            copyTree(module + "/src/main");
        }
    }

    private void copyTree(String part) throws IOException {
        Files.createDirectories(Objects.requireNonNull(copy.resolve(part).getParent()));
        Files.walkFileTree(ROOT.resolve(part), Set.of(), Integer.MAX_VALUE, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) throws IOException {
                Files.createDirectories(copy.resolve(ROOT.relativize(dir)));
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.copy(file, copy.resolve(ROOT.relativize(file)));
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private Run run(String... command) throws Exception {
        Path out = temp.resolve("out");
        Path err = temp.resolve("err");
        Process process = new ProcessBuilder(command)
                .directory(temp.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        try {
            assertThat(process.waitFor(240, TimeUnit.SECONDS))
                    .as("%s ends", List.of(command))
                    .isTrue();
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private record Run(int code, String out, String err) {}
}
