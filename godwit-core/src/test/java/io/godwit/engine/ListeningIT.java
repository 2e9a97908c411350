// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.net.Address;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Addresses that cannot be listened on, or reached: a sentence, and another address does. */
@Timeout(60)
class ListeningIT {
    private static void completes(Pair pair) throws Exception {
        pair.parameters(Pair::fast);
        pair.source.migrate(pair.target, false);
        pair.bothCompleted();
        pair.verifyDestination();
    }

    private static void refused(Pair pair, Address address, String sentence) {
        assertThatThrownBy(() -> pair.destination.migrateIncoming(address))
                .isInstanceOf(CommandRefused.class)
                .hasMessageContaining("cannot listen on " + address)
                .hasMessageContaining(sentence);
        assertThat(pair.destination.info().status()).isEqualTo(MigrationStatus.NONE);
        assertThat(pair.destination.info().listening()).isEmpty();
    }

    @Test
    void whatCannotBeListenedOnIsRefusedAndAnotherAddressDoes() throws Exception {
        try (Pair pair = Pair.deferred(Pair.TINY, Capability.RETURN_PATH);
                ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            refused(pair, new Address.Tcp("127.0.0.1", taken.getLocalPort()), "the port is in use");
            refused(pair, new Address.Tcp("192.0.2.1", 4444), "no such address");
            refused(pair, new Address.Unix(pair.folder.resolve("no/such/folder/s")), "does not exist");
            Path file = Files.createFile(pair.folder.resolve("file"));
            refused(pair, new Address.Unix(file), "no socket");
            assertThat(file).exists();
            Files.delete(file);
            // A capability set after the refusals counts.
            Map<Capability, Boolean> postcopy = Map.of(Capability.POSTCOPY_RAM, true);
            pair.source.setCapabilities(postcopy);
            pair.destination.setCapabilities(postcopy);
            pair.destination.migrateIncoming(pair.listen);
            completes(pair);
        }
    }

    /** Where not even root may make a file. */
    @Test
    void aFolderThatTakesNoFilesIsRefused() throws Exception {
        try (Pair pair = Pair.deferred(Pair.TINY, Capability.RETURN_PATH)) {
            refused(pair, new Address.Unix(Path.of("/proc/self/godwit.sock")), "ermission");
            pair.destination.migrateIncoming(pair.listen);
            completes(pair);
        }
    }

    /** A process that was killed leaves its socket's file behind. */
    @Test
    void aStaleSocketIsReplacedAndALiveOneIsNot() throws Exception {
        try (Pair pair = Pair.deferred(Pair.TINY, Capability.RETURN_PATH)) {
            Path path = ((Address.Unix) pair.listen).path();
            try (ServerSocketChannel live = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                live.bind(UnixDomainSocketAddress.of(path));
                refused(pair, pair.listen, "somebody listens there already");
            }
            assertThat(path).exists();
            pair.destination.migrateIncoming(pair.listen);
            assertThat(Files.getPosixFilePermissions(path)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
            completes(pair);
        }
    }

    @ParameterizedTest
    @EnumSource(Pair.Net.class)
    void aTargetThatCannotBeReachedFailsTheMigrationAndAnotherOneDoes(Pair.Net net) throws Exception {
        Capability[] capabilities = {Capability.RETURN_PATH};
        try (Pair pair = new Pair(net, Pair.TINY, capabilities)) {
            Address nobody;
            if (net == Pair.Net.UNIX) {
                nobody = new Address.Unix(pair.folder.resolve("nobody"));
            } else {
                try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                    nobody = new Address.Tcp("127.0.0.1", closed.getLocalPort());
                }
            }
            pair.source.migrate(nobody, false);
            pair.src.await(MigrationStatus.FAILED);
            assertThat(pair.source.info().errorDesc())
                    .contains("cannot connect to " + nobody)
                    .doesNotContain("Exception");
            assertThat(pair.source.runState()).isEqualTo("running");
            completes(pair);
        }
    }

    /** A recovery may come by another way than the first connection; the first address stays good, too. */
    @Test
    void aPausedDestinationListensWhereItIsToldToAsWell() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Pair.postcopy(true));
                ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            pair.parameters(Pair::slow);
            pair.toProvenPostcopy();
            pair.relay.cut();
            pair.bothPaused();
            assertThatThrownBy(
                            () -> pair.destination.migrateRecover(new Address.Tcp("127.0.0.1", taken.getLocalPort())))
                    .hasMessageContaining("the port is in use");
            pair.destination.migrateRecover(new Address.Tcp("127.0.0.1", 0));
            Address first = pair.destination.info().listening().getLast();
            assertThat(pair.destination.info().listening()).containsExactly(pair.listen, first);
            // Repeated: the former one is given up.
            pair.destination.migrateRecover(new Address.Tcp("127.0.0.1", 0));
            Address second = pair.destination.info().listening().getLast();
            assertThat(pair.destination.info().listening())
                    .containsExactly(pair.listen, second)
                    .doesNotContain(first);

            pair.source.migrate(first, true);
            pair.src.await(MigrationStatus.POSTCOPY_PAUSED);
            assertThat(pair.source.info().errorDesc()).contains("cannot connect to " + first);
            pair.source.migrate(second, true);
            pair.dst.await(MigrationStatus.POSTCOPY_ACTIVE);
            pair.src.await(MigrationStatus.POSTCOPY_ACTIVE);
            pair.destination.migratePause();
            pair.bothPaused();
            // The same place again is no mistake.
            pair.destination.migrateRecover(second);
            pair.recoverAndVerify();
        }
    }
}
