// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.guest.BootSector;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.Fault;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** Two real QEMUs, a relay between them, and a guest at the first that counts. */
final class Journey implements AutoCloseable {
    static final Duration LONG = Duration.ofSeconds(50);
    static final Address ANY_PORT = new Address.Tcp("127.0.0.1", 0);

    /** Bytes per second: slow enough that a test that has to wait its turn sees a postcopy before it is over. */
    private static final int SLOW = 256 << 10;

    /** Page requests are answered past a source's own limit, but not past the network's. */
    static final FaultPlan SLOW_NETWORK = FaultPlan.of(new Fault.Rate(Fault.Direction.FORWARD, 2 * SLOW));

    final QemuProcess from;
    final QemuProcess to;
    final QemuSource source;
    final QemuDestination destination;
    final BootSector guest;
    Relay relay;

    @SuppressWarnings("NullAway.Init") // the relay comes with the first address to relay to
    Journey(Path folder, QemuVersion.Pair pair, BootSector guest) throws Exception {
        pair.need();
        this.guest = guest;
        Path disk = guest.write(folder.resolve("boot.img"));
        from = QemuProcess.Recipe.of(pair.from())
                .machine(pair.machine())
                .disk(disk)
                .start(folder);
        to = QemuProcess.Recipe.of(pair.to())
                .machine(pair.machine())
                .disk(disk)
                .incoming()
                .start(folder);
        source = new QemuSource(QemuPeer.connect(from.address(), LONG));
        destination = new QemuDestination(QemuPeer.connect(to.address(), LONG));
        from.awaitCounted(guest);
    }

    static MigrationTerms slowPostcopy() {
        return MigrationTerms.postcopy()
                .with("max-bandwidth", SLOW)
                .with("max-postcopy-bandwidth", SLOW)
                .with("downtime-limit", 1);
    }

    /** Prepares both ends, and has the destination listen behind the relay. */
    Journey prepare(MigrationTerms terms, FaultPlan faults) throws Exception {
        destination.checkFits(source.peer().identity());
        source.prepare(terms);
        destination.prepare(new MigrationTerms(terms.capabilities(), Map.of()));
        relay = Relay.start(ANY_PORT, (Address) destination.listen(ANY_PORT), faults, _ -> {});
        return this;
    }

    void go() throws PeerException {
        source.migrate(relay.address());
    }

    /** Changes one of the source's parameters while it migrates. */
    void set(String parameter, long value) {
        from.qmp(
                "migrate-set-parameters",
                JsonObject.builder().put(parameter, value).build());
    }

    /** Starts the switch to postcopy and waits until the guest is at the destination. */
    void toPostcopy() throws PeerException {
        source.peer().await(state -> state.is("active"), "active", LONG);
        source.startPostcopy();
        destination.peer().await(state -> state.is("postcopy-active"), "postcopy-active", LONG);
        source.peer().await(state -> state.is("postcopy-active"), "postcopy-active", LONG);
    }

    void cutAfter(long bytes) throws IOException {
        relay.setFault(FaultPlan.of(new Fault.CutAfter(Fault.Direction.FORWARD, bytes)));
    }

    /** A slow postcopy, from its beginning, that has lost its channel. */
    void toPaused() throws Exception {
        prepare(slowPostcopy(), SLOW_NETWORK).go();
        toPostcopy();
        relay.cut();
        bothArePaused();
    }

    void bothArePaused() throws PeerException {
        assertThat(source.verdict(LONG).fate()).isEqualTo(SourceVerdict.Fate.AWAITS_RECOVERY);
        assertThat(destination.verdict(LONG).fate()).isEqualTo(DestinationVerdict.Fate.AWAITS_RECOVERY);
    }

    /** Has the destination listen for a recovery, behind a new relay. */
    void listenAgain() throws Exception {
        relay.close();
        relay = Relay.start(ANY_PORT, (Address) destination.recover(ANY_PORT));
    }

    /** What the command that started it brings about takes its time: until then both ends truthfully say what they were before. */
    void awaitCompleted() throws PeerException {
        destination.peer().await(state -> state.is("completed"), "completed", LONG);
    }

    void arrived() throws Exception {
        awaitCompleted();
        DestinationVerdict there = destination.verdict(LONG);
        assertThat(there.fate()).as("%s", there).isEqualTo(DestinationVerdict.Fate.RUNS_HERE);
        assertThat(there.provesThatItArrived()).isTrue();
        SourceVerdict here = source.verdict(LONG);
        assertThat(here.fate()).as("%s", here).isEqualTo(SourceVerdict.Fate.LEFT);
        assertThat(here.provesThatItLeft()).isTrue();
        assertThat(to.damage(guest)).as("the guest's memory at %s", to).isNull();
    }

    @Override
    public void close() {
        source.peer().close();
        destination.peer().close();
        from.close();
        to.close();
        if (relay != null) {
            relay.close();
        }
    }
}
