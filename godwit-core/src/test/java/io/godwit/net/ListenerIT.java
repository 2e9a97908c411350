// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.net.Loop.Told;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where one can listen, where not, and what becomes of the file. */
@Timeout(30)
class ListenerIT {
    @TempDir
    Path folder;

    @AutoClose
    private final Loop loop = new Loop();

    private String unix;

    @BeforeEach
    void open() throws IOException {
        unix = "unix:" + folder.resolve("s");
    }

    @Test
    void portZeroBecomesARealOne() throws IOException {
        Listener listener = loop.listen("tcp:127.0.0.1:0");
        assertThat(listener.address()).isInstanceOfSatisfying(Address.Tcp.class, tcp -> {
            assertThat(tcp.host()).isEqualTo("127.0.0.1");
            assertThat(tcp.port()).isPositive();
        });
        loop.pair(listener);
    }

    @Test
    void noHostIsEveryInterface() throws IOException {
        Listener listener = loop.listen("tcp::0");
        int port = ((Address.Tcp) listener.address()).port();
        for (String host : new String[] {"127.0.0.1", "::1", "localhost", ""}) {
            Connection near = loop.reactor.connect(new Address.Tcp(host, port));
            loop.await(Told.Connected.class, c -> c.connection() == near);
        }
    }

    @Test
    void aPortInUseIsRefusedInASentence() throws IOException {
        Address taken = loop.listen("tcp:127.0.0.1:0").address();
        assertThatThrownBy(() -> loop.reactor.listen(taken))
                .isInstanceOf(IOException.class)
                .hasMessage("cannot listen on " + taken
                        + ": the port is in use, choose another or end the one that has it");
    }

    @Test
    void aPortIsFreeAgainAtOnceThoughConnectionsOfItLiveOn() throws IOException {
        Listener listener = loop.listen("tcp:127.0.0.1:0");
        Connection[] pair = loop.pair(listener);
        listener.close();
        Connection refused = loop.reactor.connect(listener.address());
        assertThat(loop.await(Told.ConnectFailed.class).connection()).isSameAs(refused);

        loop.reactor.listen(listener.address());
        loop.say(pair[0], "still here");
        loop.hear(pair[1], "still here");
    }

    @Test
    void anAddressOfAnotherHostIsRefusedInASentence() {
        assertThatThrownBy(() -> loop.listen("tcp:192.0.2.1:0"))
                .hasMessage("cannot listen on tcp:192.0.2.1:0: this host has no such address");
        assertThatThrownBy(() -> loop.listen("tcp:nowhere.invalid:0"))
                .hasMessage("cannot listen on tcp:nowhere.invalid:0: no address is known for this host name");
    }

    @Test
    void theFileOfASocketIsForItsOwnerAndGoesWithTheListener() throws IOException {
        Listener listener = loop.listen(unix);
        Path file = folder.resolve("s");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        loop.pair(listener);

        listener.close();
        listener.close();
        assertThat(file).doesNotExist();
    }

    @Test
    void atNoMomentMayOthersConnect() throws Exception {
        Path file = folder.resolve("s");
        Set<String> modes = ConcurrentHashMap.newKeySet();
        AtomicBoolean done = new AtomicBoolean();
        FutureTask<Void> watcher = new FutureTask<>(() -> {
            while (!done.get()) {
                try {
                    modes.add(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
                } catch (NoSuchFileException none) {
                    Thread.onSpinWait();
                }
            }
            return null;
        });
        Thread.ofPlatform().daemon().start(watcher);
        try {
            for (int i = 0; i < 2000 && modes.size() < 2; i++) {
                loop.listen(unix).close();
            }
        } finally {
            done.set(true);
        }
        watcher.get(10, TimeUnit.SECONDS);
        assertThat(modes).containsExactly("rw-------");
        assertThat(folder).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 8, 9, 20})
    void theLongestPathCanBeListenedOnAndNothingElseIsLeft(int nameLength) throws IOException {
        int rest = Address.MAX_UNIX_PATH - folder.toString().length() - 2 - nameLength;
        Path inner = Files.createDirectory(folder.resolve("d".repeat(rest)));
        Path file = inner.resolve("s".repeat(nameLength));
        assertThat(file.toString()).hasSize(Address.MAX_UNIX_PATH);

        Listener listener = loop.listen("unix:" + file);
        loop.pair(listener);
        assertThat(inner).isDirectoryNotContaining(other -> !other.equals(file));
        listener.close();
        assertThat(inner).isEmptyDirectory();
    }

    @Test
    void anotherOneThatWasFasterKeepsItsSocket() throws IOException {
        Listener first = loop.listen(unix);
        try (ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            assertThatThrownBy(() -> SocketFile.bind(
                            path -> channel.bind(UnixDomainSocketAddress.of(path), 1),
                            new Address.Unix(folder.resolve("s"))))
                    .hasMessage("cannot listen on " + unix + ": somebody else was faster and listens there");
        }
        loop.pair(first);
        assertThat(folder).isDirectoryNotContaining(file -> !file.endsWith("s"));
    }

    @Test
    void aFileThatIsNoLongerOursStays() throws IOException {
        Listener listener = loop.listen(unix);
        Path file = folder.resolve("s");
        Files.delete(file);
        try (ServerSocketChannel other = Peer.server(unix)) {
            assertThat(other.isOpen()).isTrue();
            listener.close();
            assertThat(file).exists();
        }
    }

    @Test
    void aSocketThatNobodyAnswersIsReplaced() throws IOException {
        Peer.server(unix).close(); // as a process that was killed leaves it: Java does not remove the file
        assertThat(folder.resolve("s")).exists();

        loop.pair(loop.listen(unix));
    }

    @Test
    void aSocketThatSomebodyAnswersIsNot() throws IOException {
        try (ServerSocketChannel other = Peer.server(unix)) {
            assertThatThrownBy(() -> loop.listen(unix))
                    .hasMessage("cannot listen on " + unix
                            + ": somebody listens there already, choose another path or end that one");
            Peer.connect(Address.parse(unix)).close();
            assertThat(other.accept()).isNotNull();
        }
    }

    @Test
    void oneThatIsTooBusyToAnswerCountsAsSomebody() throws IOException {
        try (ServerSocketChannel busy = ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
            busy.bind(Peer.socket(Address.parse(unix)), 1);
            Peer first = Peer.connect(Address.parse(unix));
            Peer second = Peer.connect(Address.parse(unix));
            assertThatThrownBy(() -> loop.listen(unix)).hasMessageContaining("somebody listens there already");
            first.close();
            second.close();
        }
    }

    @Test
    void whatIsNoSocketIsLeftAlone() throws IOException {
        Files.writeString(folder.resolve("s"), "precious");
        assertThatThrownBy(() -> loop.listen(unix))
                .hasMessage("cannot listen on " + unix + ": the path exists and is no socket, choose another one");
        assertThat(folder.resolve("s")).hasContent("precious");

        Files.createSymbolicLink(folder.resolve("link"), folder.resolve("nowhere"));
        assertThatThrownBy(() -> loop.listen("unix:" + folder.resolve("link"))).hasMessageContaining("is no socket");
    }

    @Test
    void aPathThatCannotBeWrittenIsRefusedInASentence() {
        String nowhere = "unix:" + folder.resolve("no/s");
        assertThatThrownBy(() -> loop.listen(nowhere))
                .hasMessage("cannot listen on " + nowhere + ": the folder " + folder.resolve("no") + " does not exist");
        assertThatThrownBy(() -> loop.listen("unix:/proc/s"))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("cannot listen on unix:/proc/s: ");
    }

    @Test
    void manyConnectAtOnceAndAllAreAccepted() throws IOException {
        Listener listener = loop.listen(unix);
        for (int i = 0; i < 100; i++) {
            loop.reactor.connect(listener.address());
        }
        loop.until(
                "all are there",
                () -> loop.told.stream().filter(Told.Accepted.class::isInstance).count() == 100
                        && loop.told.stream()
                                        .filter(Told.Connected.class::isInstance)
                                        .count()
                                == 100);
    }

    @Test
    void whoConnectedIsNamed() throws IOException {
        Connection[] tcp = loop.pair(loop.listen("tcp:[::1]:0"));
        assertThat(tcp[1].peer()).startsWith("tcp:[0:0:0:0:0:0:0:1]:");
        assertThat(tcp[0].peer()).startsWith("tcp:[::1]:");

        Connection[] local = loop.pair(loop.listen(unix));
        assertThat(local[1].peer()).isEqualTo("a client of " + unix);
    }
}
