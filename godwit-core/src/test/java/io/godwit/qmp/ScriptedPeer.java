// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A server that does exactly what a test has written down, to one client. */
final class ScriptedPeer implements AutoCloseable {
    static final String GREETING =
            "{\"QMP\":{\"version\":{\"qemu\":{\"major\":9,\"minor\":9,\"micro\":9},\"package\":\"p\"},\"capabilities\":[]}}\r\n";

    interface Script {
        void play(ScriptedPeer peer) throws Exception;
    }

    private final ServerSocketChannel listener;
    private final Address.Unix address;
    private final CompletableFuture<Void> played = new CompletableFuture<>();
    private SocketChannel client;
    private BufferedReader lines;

    /** @param script is played once a client is there */
    @SuppressWarnings("NullAway.Init") // the client comes later
    ScriptedPeer(Path folder, Script script) throws IOException {
        address = new Address.Unix(folder.resolve("peer"));
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(address.path()));
        Thread.ofVirtual().start(() -> {
            try {
                client = listener.accept();
                lines = new BufferedReader(Channels.newReader(client, StandardCharsets.UTF_8));
                script.play(this);
                played.complete(null);
            } catch (Throwable e) {
                played.completeExceptionally(e);
            }
        });
    }

    Address address() {
        return address;
    }

    void say(String text) throws IOException {
        client.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** The next command: a client of ours ends each with a line's end. */
    JsonObject hear() throws Exception {
        return (JsonObject) Json.parse(lines.readLine());
    }

    /** Greets and takes part in the negotiation. */
    void negotiate() throws Exception {
        say(GREETING);
        say("{\"return\":{},\"id\":" + hear().get("id") + "}");
    }

    void hangUp() throws IOException {
        client.close();
    }

    /** Waits until the script is played, and fails if that failed. */
    void done() throws Exception {
        played.get(20, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws IOException {
        listener.close();
        if (client != null) {
            client.close();
        }
    }
}
