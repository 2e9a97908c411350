// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.qmp.QmpClient;
import io.godwit.qmp.QmpException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Godwit with a VM's folder, as a process that can be killed at any moment; the test is its operator. */
final class GodwitProcess implements Peer, AutoCloseable {
    private static final Duration LONG = Duration.ofSeconds(50);
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final Process process;
    private final QmpClient operator;

    private GodwitProcess(Process process, QmpClient operator) {
        this.process = process;
        this.operator = operator;
    }

    /** @param scratch for its socket */
    static GodwitProcess start(Path vm, Path scratch) throws IOException {
        Path classes = Path.of(System.getProperty("godwit.classes"));
        Path tests = classes.resolveSibling("test-classes");
        Path socket = scratch.resolve("g" + NUMBER.incrementAndGet());
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xshare:auto",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        classes + ":" + (Files.exists(tests) ? tests : classes.resolveSibling("t")),
                        StoreProcess.class.getName(),
                        vm.toString(),
                        socket.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            BufferedReader said = process.inputReader();
            if (!"ready".equals(said.readLine())) {
                throw new IOException("Godwit does not begin; see what it printed");
            }
            return new GodwitProcess(process, QmpClient.connect(new Address.Unix(socket), LONG));
        } catch (IOException | QmpException | RuntimeException e) {
            process.destroyForcibly();
            throw e instanceof IOException io ? io : new IOException(e);
        }
    }

    @Override
    public Json qmp(String command, JsonObject arguments) {
        try {
            return operator.execute(command, arguments, LONG);
        } catch (QmpException e) {
            throw new AssertionError("Godwit, " + command + ": " + e.getMessage(), e);
        }
    }

    @Override
    public String name() {
        return "Godwit";
    }

    /** SIGKILL. */
    void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    @Override
    public void close() {
        operator.close();
        kill();
    }
}
