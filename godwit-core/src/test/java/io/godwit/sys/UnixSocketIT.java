// SPDX-License-Identifier: Apache-2.0

package io.godwit.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Timeout(60)
@Execution(ExecutionMode.SAME_THREAD) // threads are counted
class UnixSocketIT {
    @TempDir
    Path folder;

    private Path path;
    private UnixSocket listener;
    private HandingClient client;
    private UnixSocket served;

    @BeforeEach
    void connect() throws IOException {
        path = folder.resolve("s");
        listener = UnixSocket.open("test");
        listener.listen(path, 8);
        client = new HandingClient(path);
        served = listener.accept();
    }

    @AfterEach
    void end() throws IOException {
        client.close();
        served.close();
        listener.close();
    }

    private String received(List<Descriptor> handed) throws IOException {
        ByteBuffer in = ByteBuffer.allocateDirect(100);
        int count = served.receive(in, handed::add);
        if (count < 0) {
            return "(end)";
        }
        return StandardCharsets.UTF_8.decode(in.flip()).toString();
    }

    @Test
    void bytesGoBothWaysAndEnd() throws Exception {
        client.send("hello");
        assertThat(received(new ArrayList<>())).isEqualTo("hello");
        served.send(ByteBuffer.allocateDirect(6)
                .put("there\n".getBytes(StandardCharsets.UTF_8))
                .flip());
        assertThat(client.line()).isEqualTo("there");
        client.close();
        assertThat(received(new ArrayList<>())).isEqualTo("(end)");
    }

    @Test
    void descriptorsComeWithTheirBytesAndNoExecInheritsThem() throws Exception {
        Descriptor.Pipe pipe = Descriptor.pipe("pipe");
        List<Descriptor> handed = new ArrayList<>();
        try (var reading = pipe.readEnd()) {
            try (var writing = pipe.writeEnd()) {
                client.send("two", writing, writing);
            }
            assertThat(received(handed)).isEqualTo("two");
            assertThat(handed).hasSize(2).noneMatch(one -> InheritedDescriptors.isInherited(one.number()));
            handed.get(0).close();
            handed.get(1).write(ByteBuffer.allocateDirect(3));
            assertThat(reading.read(ByteBuffer.allocateDirect(9))).isEqualTo(3);
            handed.get(1).close();
            HandingClient.awaitEnd(reading);
        }
    }

    @Test
    void ofMoreThanCanBeTakenNoneStaysOpen() throws Exception {
        Descriptor.Pipe pipe = Descriptor.pipe("pipe");
        List<Descriptor> handed = new ArrayList<>();
        try (var reading = pipe.readEnd()) {
            try (var writing = pipe.writeEnd()) {
                Descriptor[] many = new Descriptor[UnixSocket.MOST_HANDED + 3];
                Arrays.fill(many, writing);
                client.send("many", many);
            }
            received(handed);
            assertThat(handed).hasSize(UnixSocket.MOST_HANDED);
            for (Descriptor one : handed) {
                one.close();
            }
            HandingClient.awaitEnd(reading);
        }
    }

    @Test
    void aCloseEndsEveryWait() throws Exception {
        CompletableFuture<?> accepting = waiting(() -> listener.accept());
        CompletableFuture<?> reading = waiting(() -> received(new ArrayList<>()));
        CompletableFuture<?> writing = waiting(() -> {
            served.send(ByteBuffer.allocateDirect(4 << 20));
            return "all of it";
        });
        awaitInKernel("accepting", "reading", "writing");
        listener.close();
        served.close();
        for (CompletableFuture<?> ended : List.of(accepting, reading, writing)) {
            assertThat(ended)
                    .failsWithin(20, TimeUnit.SECONDS)
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOf(ClosedChannelException.class);
        }
        assertThatThrownBy(() -> received(new ArrayList<>())).isInstanceOf(ClosedChannelException.class);
    }

    private interface Wait {
        Object get() throws IOException;
    }

    private int waits;

    private CompletableFuture<?> waiting(Wait wait) {
        CompletableFuture<Object> done = new CompletableFuture<>();
        String name = List.of("accepting", "reading", "writing").get(waits++);
        Thread.ofPlatform().daemon().name(name).start(() -> {
            try {
                done.complete(wait.get());
            } catch (IOException | RuntimeException | Error e) {
                done.completeExceptionally(e);
            }
        });
        return done;
    }

    /** By the kernel's own word for what a thread is in. */
    private static void awaitInKernel(String... names) {
        for (String name : names) {
            long end = System.nanoTime() + 20_000_000_000L;
            while (!sleeps(name)) {
                assertThat(System.nanoTime()).as("waiting for %s to wait", name).isLessThan(end);
                Thread.onSpinWait();
            }
        }
    }

    private static boolean sleeps(String name) {
        return KernelTask.named(name)
                .map(task -> KernelTask.read(task.resolve("stat")).contains(") S "))
                .orElse(false);
    }
}
