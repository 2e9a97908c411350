// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Godwit as its user starts it: a process of its own, its output taken as it comes. */
public final class Programs implements AutoCloseable {
    private final Path temp;
    /** Who was started in the background, or by nohup, hands on signals that are ignored, and a JVM leaves those ignored. */
    private static final List<String> DEFAULT_SIGNALS = List.of("env", "--default-signal=INT,HUP,TERM");

    private final List<Process> processes = new ArrayList<>();

    /** @param temp the processes' folder for temporary files */
    public Programs(Path temp) {
        this.temp = temp;
    }

    /** What one of them says. */
    public static final class Program {
        public final Process process;
        private final List<String> lines = new ArrayList<>();
        private final CompletableFuture<Void> ended = new CompletableFuture<>();

        private Program(Process process) {
            this.process = process;
            Thread.ofPlatform().daemon().start(this::read);
        }

        private void read() {
            try (var reader =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    synchronized (lines) {
                        lines.add(line);
                        lines.notifyAll();
                    }
                }
            } catch (IOException e) {
                synchronized (lines) {
                    lines.add("unreadable: " + e);
                }
            }
            synchronized (lines) {
                ended.complete(null);
                lines.notifyAll();
            }
        }

        /** The first line that holds the text; waits for it. */
        public String line(String text) throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            synchronized (lines) {
                while (true) {
                    for (String line : lines) {
                        if (line.contains(text)) {
                            return line;
                        }
                    }
                    long left = end - System.nanoTime();
                    assertThat(left > 0 && !ended.isDone())
                            .as("'%s' in%n%s", text, String.join("\n", lines))
                            .isTrue();
                    TimeUnit.NANOSECONDS.timedWait(lines, left);
                }
            }
        }

        /** Everything, once it has ended. */
        public String all() throws Exception {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("it ends").isTrue();
            ended.get(10, TimeUnit.SECONDS);
            synchronized (lines) {
                return String.join("\n", lines);
            }
        }

        public int code() throws InterruptedException {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("it ends").isTrue();
            return process.exitValue();
        }
    }

    /** The java command that runs Godwit as {@code ./godwit} does, but from where the tests have it. */
    public List<String> command(String... arguments) {
        String modules = System.getProperty("jdk.module.path", "");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + temp));
        if (modules.isEmpty()) {
            command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
            command.addAll(List.of(System.getProperty("java.class.path"), "io.godwit.app.Main"));
        } else {
            command.addAll(List.of("--enable-native-access=io.godwit.core,com.github.luben.zstd_jni", "-p", modules));
            command.addAll(List.of("-m", "io.godwit.app/io.godwit.app.Main"));
        }
        command.addAll(List.of(arguments));
        return command;
    }

    public Program start(String... arguments) throws IOException {
        return start(command(arguments), Map.of());
    }

    public Program start(List<String> command, Map<String, String> environment) throws IOException {
        List<String> words = new ArrayList<>(DEFAULT_SIGNALS);
        words.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
        builder.environment().remove("JDK_JAVA_OPTIONS");
        builder.environment().putAll(environment);
        Process process = builder.start();
        processes.add(process);
        return new Program(process);
    }

    @Override
    public void close() {
        for (Process process : processes) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }
}
