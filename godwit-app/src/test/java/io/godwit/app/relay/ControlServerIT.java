// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Address;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class ControlServerIT {
    @TempDir
    Path folder;

    private ControlServer server;
    private Thread thread;

    @BeforeEach
    void start() throws IOException {
        server = new ControlServer(
                Address.parse("unix:" + folder.resolve("c")),
                line -> line.equals("much") ? "x".repeat(30_000) : "<" + line + ">");
        thread = Thread.ofPlatform().start(server::run);
    }

    @AfterEach
    void stop() throws InterruptedException {
        server.end();
        thread.join();
        server.close();
        assertThat(folder.resolve("c")).doesNotExist();
    }

    private SocketChannel dial() throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(folder.resolve("c")));
    }

    private static void send(SocketChannel to, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            to.write(bytes);
        }
    }

    private static String read(SocketChannel from, int length) throws IOException {
        return new String(Channels.newInputStream(from).readNBytes(length), StandardCharsets.UTF_8);
    }

    @Test
    void everyLineHasItsAnswerHoweverTheBytesFall() throws IOException {
        try (SocketChannel one = dial()) {
            send(one, "a\nbc\n\n  \nd");
            assertThat(read(one, 9)).isEqualTo("<a>\n<bc>\n");
            send(one, "ö\ne");
            assertThat(read(one, 6)).isEqualTo("<dö>\n");
            one.shutdownOutput();
            assertThat(read(one, 100)).as("a last line without an end").isEqualTo("<e>\n");
        }
    }

    @Test
    void oneClientDoesNotHoldUpAnother() throws IOException {
        try (SocketChannel silent = dial();
                SocketChannel one = dial()) {
            send(silent, "half a li");
            send(one, "a\n");
            assertThat(read(one, 4)).isEqualTo("<a>\n");
            assertThat(silent.isConnected()).isTrue();
        }
    }

    @Test
    void aLineWithoutEndIsTheEndOfTheClient() throws IOException {
        try (SocketChannel one = dial();
                SocketChannel two = dial()) {
            send(one, "x".repeat(5000));
            assertThat(readUntilGone(one)).isZero();
            send(two, "a\n");
            assertThat(read(two, 4)).isEqualTo("<a>\n");
        }
    }

    @Test
    void whoReadsNoAnswersIsDropped() throws IOException {
        try (SocketChannel one = dial();
                SocketChannel two = dial()) {
            one.configureBlocking(false);
            ByteBuffer much = ByteBuffer.wrap("much\n".repeat(100).getBytes(StandardCharsets.UTF_8));
            boolean dropped = false;
            for (long end = System.nanoTime() + 10_000_000_000L; !dropped && System.nanoTime() < end; ) {
                try {
                    one.write(much.rewind());
                } catch (IOException gone) {
                    dropped = true;
                }
            }
            assertThat(dropped).isTrue();
            send(two, "a\n");
            assertThat(read(two, 4)).isEqualTo("<a>\n");
        }
    }

    private static int readUntilGone(SocketChannel from) {
        try {
            return Channels.newInputStream(from).readAllBytes().length;
        } catch (IOException reset) {
            return 0;
        }
    }
}
