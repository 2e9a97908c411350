// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Loop.Told;
import io.godwit.net.TlsCredentials.Role;
import io.godwit.qemu.Authority;
import io.godwit.qemu.Authority.Issued;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS between two connections of one loop, and between one and what speaks none. */
class TlsIT {
    private static final Authority CA = new Authority("test CA");

    @TempDir
    Path dir;

    private Loop loop;
    private Listener listener;

    @BeforeEach
    void open() throws IOException {
        CA.folder(dir);
        loop = new Loop();
        listener = loop.listen("tcp:127.0.0.1:0");
        listener.secure(load(Role.SERVER));
    }

    @AfterEach
    void close() {
        loop.close();
    }

    private TlsCredentials load(Role role) throws IOException {
        return TlsCredentials.load(dir, role, true);
    }

    private Connection connect(String host) throws IOException {
        return loop.reactor.connect(listener.address(), new TlsClient(load(Role.CLIENT), host));
    }

    private Connection[] pair() throws IOException {
        Connection near = connect("localhost");
        Connection far = loop.await(Told.Accepted.class).connection();
        loop.await(Told.Connected.class, c -> c.connection() == near);
        return new Connection[] {near, far};
    }

    private String failed(Connection connection) {
        return loop.await(Told.ConnectFailed.class, f -> f.connection() == connection)
                .reason();
    }

    private String refused() {
        return loop.await(Told.Refused.class).reason();
    }

    @Test
    void bothDirectionsSpeak() throws IOException {
        Connection[] pair = pair();
        loop.say(pair[0], "hello");
        loop.hear(pair[1], "hello");
        loop.say(pair[1], "yourself");
        loop.hear(pair[0], "yourself");
    }

    @Test
    void anEndBehindTheLastByteIsHeardAndTheOtherDirectionGoesOn() throws IOException {
        Connection[] pair = pair();
        loop.say(pair[0], "the last");
        pair[0].shutdownOutput();
        loop.hear(pair[1], "the last");
        loop.await(Told.Ended.class, e -> e.connection() == pair[1]);
        loop.say(pair[1], "an answer");
        loop.hear(pair[0], "an answer");
        pair[1].close();
        loop.await(Told.Ended.class, e -> e.connection() == pair[0]);
        assertThat(loop.told).isEmpty();
    }

    @Test
    void muchComesWholeThroughAReaderThatTakesLittleAtATime() throws IOException {
        Connection[] pair = pair();
        int total = 20 << 20;
        ByteBuffer out = ByteBuffer.allocateDirect(256 << 10);
        ByteBuffer in = ByteBuffer.allocateDirect(1000);
        long[] moved = new long[2];
        Handler handler = new Silent() {
            @Override
            public void writable(Connection connection) {
                while (moved[0] < total) {
                    if (!out.hasRemaining()) {
                        out.clear();
                    }
                    int start = out.position();
                    for (int i = start; i < out.limit(); i++) {
                        out.put(i, pattern(moved[0] + i - start));
                    }
                    int count = connection.write(out);
                    moved[0] += count;
                    if (count == 0) {
                        return;
                    }
                }
                if (out.hasRemaining()) {
                    // As the rule wants: what is on its way is written to its end.
                    moved[0] += connection.write(out);
                }
                connection.wantWrite(out.hasRemaining());
            }

            @Override
            public void readable(Connection connection) {
                int count = connection.read(in.clear());
                for (int i = 0; i < count; i++) {
                    assertThat(in.get(i)).isEqualTo(pattern(moved[1] + i));
                }
                moved[1] += Math.max(0, count);
            }
        };
        out.limit(0);
        pair[0].wantWrite(true);
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (moved[1] < total || moved[1] < moved[0]) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            loop.reactor.poll(100_000_000L, handler);
        }
        assertThat(moved[1]).isEqualTo(moved[0]);
    }

    @Test
    void whatIsNotCountedAsWrittenIsNeverHeard() throws IOException {
        Connection[] pair = pair();
        pair[0].setSendBuffer(4096);
        pair[1].wantRead(false);
        ByteBuffer out = ByteBuffer.allocateDirect(8 << 20);
        int counted = 0;
        for (int idle = 0; idle < 3; ) {
            int count = pair[0].write(out);
            idle = count == 0 ? idle + 1 : 0;
            counted += count;
            loop.poll(1_000_000L);
        }
        assertThat(out.hasRemaining()).isTrue();
        pair[0].abort("the test has seen enough"); // a reader that still gets more would get what nobody counts on
        pair[1].wantRead(true);
        loop.await(Told.Ended.class, e -> e.connection() == pair[1]);
        assertThat(loop.bytesRead).isEqualTo(counted);
    }

    @Test
    void anOrderlyCloseDoesNotSendWhatWasNotCounted() throws IOException {
        Connection[] pair = pair();
        pair[0].setSendBuffer(4096);
        pair[1].wantRead(false);
        ByteBuffer out = ByteBuffer.allocateDirect(8 << 20);
        int counted = 0;
        for (int idle = 0; idle < 3; ) {
            int count = pair[0].write(out);
            idle = count == 0 ? idle + 1 : 0;
            counted += count;
            loop.poll(1_000_000L);
        }
        pair[1].wantRead(true);
        loop.poll(0); // there is room again, which nobody may use for what was not counted
        long before = loop.bytesRead;
        assertThat(before).isPositive();
        pair[0].close();
        loop.await(Told.Ended.class, e -> e.connection() == pair[1]);
        assertThat(loop.bytesRead).isEqualTo(counted);
    }

    @Test
    void aWrongHostNameIsRefused() throws IOException {
        String reason = failed(connect("otherhost"));
        assertThat(reason).contains("its certificate is for another host").contains("tls-hostname");
        assertThat(refused()).contains("certificate_unknown");
    }

    @Test
    void anAddressInTheCertificateIsAName() throws IOException {
        connect("127.0.0.1");
        loop.await(Told.Accepted.class);
        assertThat(failed(connect("127.0.0.2"))).contains("its certificate is for another host");
    }

    @Test
    void aServerOfAnotherAuthorityIsRefused() throws IOException {
        new Authority("another").authority(dir);
        assertThat(failed(connect("localhost"))).contains("was not issued by the CA in ca-cert.pem");
    }

    @Test
    void aClientOfAnotherAuthorityIsRefusedAndBothSay() throws IOException {
        new Authority("another").client(dir, new Authority("another").issue("x", KeyPurposeId.id_kp_clientAuth));
        Connection near = connect("localhost");
        assertThat(refused())
                .contains("came to no TLS session on tcp:127.0.0.1:")
                .containsAnyOf("was not issued by the CA", "shows no certificate");
        // To a client of TLS 1.3 the handshake is over before the server has judged it.
        loop.await(Told.Connected.class);
        assertThat(loop.await(Told.Broken.class, b -> b.connection() == near).reason())
                .contains("does not accept this side's certificate");
    }

    @Test
    void aClientWithoutACertificateIsRefused() throws IOException {
        Files.delete(dir.resolve("client-cert.pem"));
        Files.delete(dir.resolve("client-key.pem"));
        connect("localhost");
        assertThat(refused()).contains("it shows no certificate, and verify-peer is on");
        assertThat(loop.await(Told.Broken.class).reason()).contains("does not accept this side's certificate");
    }

    @Test
    void withoutVerifyPeerAnybodyIsLetIn() throws IOException {
        listener.secure(TlsCredentials.load(dir, Role.SERVER, false));
        Files.delete(dir.resolve("client-cert.pem"));
        Files.delete(dir.resolve("client-key.pem"));
        new Authority("another").authority(dir);
        loop.reactor.connect(
                listener.address(), new TlsClient(TlsCredentials.load(dir, Role.CLIENT, false), "whatever"));
        loop.await(Told.Accepted.class);
        loop.await(Told.Connected.class);
    }

    @Test
    void aRevokedClientIsRefused() throws IOException {
        Issued client = CA.issue("bad", KeyPurposeId.id_kp_clientAuth);
        CA.client(dir, client);
        CA.revocations(dir);
        listener.secure(load(Role.SERVER));
        connect("localhost");
        loop.await(Told.Accepted.class);
        CA.revoke(client);
        CA.revocations(dir);
        listener.secure(load(Role.SERVER));
        connect("localhost");
        assertThat(refused()).contains("its certificate was revoked");
    }

    @Test
    void aPlainPeerOnATlsPortIsRefused() throws IOException {
        Connection plain = loop.reactor.connect(listener.address());
        loop.await(Told.Connected.class);
        loop.say(plain, "QEVM....");
        assertThat(refused()).contains("what it sends is no TLS").contains("tls-creds");
    }

    @Test
    void aTlsPeerOnAPlainPortIsTold() throws IOException {
        listener.secure(null);
        Connection tls = connect("localhost");
        Connection far = loop.await(Told.Accepted.class).connection();
        far.close();
        assertThat(failed(tls)).contains("instead of a TLS handshake: does it speak TLS there (tls-creds)?");
        Connection again = connect("localhost");
        loop.say(loop.await(Told.Accepted.class).connection(), "QEVM");
        assertThat(failed(again)).contains("what it sends is no TLS");
    }

    @Test
    void aSilentPeerHasItsTimeAndNoMore() throws IOException {
        loop.reactor.connect(listener.address());
        loop.await(Told.Connected.class);
        long begun = System.nanoTime();
        while (loop.told.isEmpty() && System.nanoTime() - begun < 15_000_000_000L) {
            loop.poll(15_000_000_000L); // the reactor ends its own wait when somebody's time is over
        }
        assertThat(refused()).contains("took longer than 10 s");
        assertThat(loop.rounds).as("it waited, it did not spin").isLessThan(200);
    }

    @Test
    void aCrowdOfSilentPeersDoesNotKeepAGoodOneOut() throws IOException {
        for (int i = 0; i < 40; i++) {
            loop.reactor.connect(listener.address());
        }
        pair();
        assertThat(loop.told.stream().filter(t -> t instanceof Told.Refused)).isNotEmpty();
    }

    @Test
    void anAbortInTheHandshakeEndsItAtOnce() throws IOException {
        try (var silent = java.nio.channels.ServerSocketChannel.open()) {
            silent.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            int port = ((InetSocketAddress) silent.getLocalAddress()).getPort();
            Connection near = loop.reactor.connect(
                    new Address.Tcp("127.0.0.1", port), new TlsClient(load(Role.CLIENT), "localhost"));
            SocketChannel far = silent.accept();
            loop.poll(100_000_000L);
            near.abort("enough");
            assertThat(failed(near)).isEqualTo("enough");
            far.setOption(StandardSocketOptions.SO_LINGER, 0);
            far.close();
        }
    }

    private static byte pattern(long at) {
        return (byte) ((at * 31) >>> 8);
    }

    /** Hears nothing. */
    private abstract static class Silent implements Handler {
        @Override
        public void accepted(Listener listener, Connection connection) {}

        @Override
        public void connected(Connection connection) {}

        @Override
        public void connectFailed(Connection connection, String reason) {
            throw new AssertionError(reason);
        }

        @Override
        public void broken(Connection connection, String reason) {
            throw new AssertionError(reason);
        }

        @Override
        public void acceptFailed(Listener listener, String reason) {
            throw new AssertionError(reason);
        }
    }
}
