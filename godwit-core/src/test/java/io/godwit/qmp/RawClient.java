// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The other side of a dialogue: sends text exactly as given and reads one line at a time. */
final class RawClient implements AutoCloseable {
    private static final String END = "(end)";
    private final SocketChannel channel;
    private final LinkedBlockingQueue<String> lines = new LinkedBlockingQueue<>();

    RawClient(Address address) throws IOException {
        channel = SocketChannel.open(
                switch (address) {
                    case Address.Unix unix -> UnixDomainSocketAddress.of(unix.path());
                    case Address.Tcp tcp -> new InetSocketAddress(tcp.host(), tcp.port());
                });
    }

    /** A client that reads what it is sent. */
    static RawClient open(Address address) throws IOException {
        RawClient client = new RawClient(address);
        Thread.ofVirtual().start(client::read);
        return client;
    }

    /** A client that has read the greeting and negotiated. */
    static RawClient negotiated(Address address, String... capabilities) throws Exception {
        RawClient client = open(address);
        client.receive();
        client.send("{\"execute\":\"qmp_capabilities\"%s}"
                .formatted(
                        capabilities.length == 0
                                ? ""
                                : ",\"arguments\":{\"enable\":[\"" + String.join("\",\"", capabilities) + "\"]}"));
        String answer = client.line();
        if (!answer.equals("{\"return\": {}}")) {
            throw new AssertionError(answer);
        }
        return client;
    }

    void send(String text) throws IOException {
        send(text.getBytes(StandardCharsets.UTF_8));
    }

    void send(byte[] bytes) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(bytes);
        while (out.hasRemaining()) {
            channel.write(out);
        }
    }

    /** No more will be sent; what comes is still read. */
    void sentAll() throws IOException {
        channel.shutdownOutput();
    }

    String line() throws InterruptedException {
        String line = lines.poll(20, TimeUnit.SECONDS);
        if (line == null) {
            throw new AssertionError("nothing came within 20 s");
        }
        return line;
    }

    JsonObject receive() throws Exception {
        return (JsonObject) Json.parse(line());
    }

    /** Sends and reads one line. */
    String ask(String text) throws Exception {
        send(text);
        return line();
    }

    boolean isOver() throws InterruptedException {
        return line().equals(END);
    }

    private void read() {
        try (BufferedReader reader = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add(line);
            }
        } catch (IOException e) {
            if (channel.isOpen()) {
                lines.add(END);
                throw new UncheckedIOException(e);
            }
        }
        lines.add(END);
    }

    void hangUp() throws IOException {
        channel.close();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
