// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import io.godwit.app.term.EndpointOptions;
import io.godwit.app.term.StatusLines;
import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.StoredGuest;
import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import io.godwit.peer.MigrationTerms;
import io.godwit.peer.PeerException;
import io.godwit.peer.QemuPeer;
import io.godwit.peer.QemuSource;
import io.godwit.protocol.Capability;
import io.godwit.qmp.QmpVersion;
import io.godwit.store.Manifest;
import io.godwit.store.OsDisk;
import io.godwit.store.StoreState;
import io.godwit.store.VmStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code godwit park}: a running VM goes into a folder. */
@Command(
        name = "park",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Takes a running VM over from its QEMU into a folder, where nobody runs it.",
            "The VM runs until the last moment; if anything fails before that, it runs on where it is.",
            "",
            "A postcopy that was interrupted, also by the end of this process, is gone on with by the same command.",
            "Ctrl-C cancels before the VM has moved; after that it asks once."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it is parked, and its source has it no more",
            "1:it is not parked; the sentence says where it is",
            "2:wrong arguments",
            "3:it is parked, but its source was not heard to have completed: 'godwit store confirm', once you know",
            "69:an address, the folder or the QEMU's QMP cannot be used",
            "70:something that nobody expected",
            "75:some of it is here, some still at its source; nothing is lost, the same command goes on"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  godwit park --incoming tcp:0.0.0.0:4444 --store /var/lib/godwit/web1 \\",
            "      --qmp-peer unix:/run/web1.qmp --migrate-uri tcp:thishost:4444",
            "",
            "Compressed, over channels of their own (both ends are set alike; with postcopy only from QEMU 11 on):",
            "  ... --set-capability multifd --set-parameter multifd-channels=4 --set-parameter multifd-compression=zstd",
            "",
            "What a QEMU has saved ('migrate exec:gzip > web1.gz' or 'migrate file:web1.mig'; with mapped-ram: 'store import'):",
            "  godwit park --incoming 'exec:zcat web1.gz' --unsafe --store /var/lib/godwit/web1",
            "  godwit park --incoming file:web1.mig --store /var/lib/godwit/web1",
            "",
            "By hand, without --qmp-peer (at the QEMU's QMP, when this command waits):",
            "  migrate-set-capabilities {\"capabilities\": [{\"capability\": \"return-path\", \"state\": true}]}",
            "  migrate {\"uri\": \"tcp:thishost:4444\"}",
            "  query-migrate                        until it says 'completed'; only then is it proven that the VM",
            "                                       is here alone, and 'godwit store confirm' may say so",
            "With multifd, before that: its capability, and migrate-set-parameters for the same multifd-channels and",
            "multifd-compression as here.",
            "With postcopy (--mode postcopy here, capability postcopy-ram there), too:",
            "  migrate-start-postcopy               when query-migrate says 'active'",
            "  migrate {\"uri\": \"tcp:thishost:4444\", \"resume\": true}     when both ends say 'postcopy-paused'"
        })
public final class ParkCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--incoming",
            paramLabel = "URI",
            required = true,
            description = {
                "Wait for the VM here: tcp:HOST:PORT or unix:PATH; or take it from exec:COMMAND (what it prints; its"
                        + " input is the way back), from file:PATH[,offset=N], or from fd:NUMBER, a descriptor this"
                        + " command was started with.",
                "A file's VM has left already, or was copied: it needs no --unsafe, and it is parked unconfirmed."
            })
    private String incoming;

    @Option(
            names = "--store",
            paramLabel = "FOLDER",
            required = true,
            description = "The VM's own folder; it is made if it is not there.")
    private Path folder;

    @Mixin
    private PeerOptions peers;

    @Option(
            names = "--migrate-uri",
            paramLabel = "URI",
            description = "How the QEMU reaches --incoming (default: the same address, if that is possible).")
    private @Nullable String migrateUri;

    @Option(
            names = "--mode",
            paramLabel = "precopy|postcopy",
            description =
                    "precopy (default): the VM runs until nearly all of its memory is here. postcopy: it stops soon,"
                            + " for a VM that writes faster than the network carries.")
    private Mode mode = Mode.PRECOPY;

    @Option(
            names = "--unsafe",
            description =
                    "Take also a VM whose QEMU has no return path: it believes that the VM has moved before anything of it is safe here."
                            + " That is so for most of exec: and fd:, where only one direction is spoken.")
    private boolean unsafe;

    @Mixin
    private EndpointOptions options;

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public ParkCommand() {}

    @Override
    public Integer call() {
        options.requireName(folder, "--store");
        int recoveries = peers.recoveries();
        MigrationAddress listen = options.place(incoming);
        MigrationAddress reach = reach(listen);
        MigrationTerms terms = peers.terms(mode, options, listen);
        return Trip.make(spec, options, peers, (peer, lines) -> park(peer, lines, listen, reach, terms, recoveries));
    }

    private Outcome park(
            @Nullable QemuPeer peer,
            StatusLines lines,
            MigrationAddress listen,
            MigrationAddress reach,
            MigrationTerms terms,
            int recoveries)
            throws IOException, CommandRefused, PeerException {
        VmStore store = VmStore.open(new OsDisk(), folder, Clock.systemUTC(), QmpVersion.GODWIT.packageName());
        String occupied = occupied(store);
        if (occupied == null && peer != null) {
            occupied = whyNotGoOn(store, peer);
        }
        if (occupied != null) {
            store.close();
            return Outcome.failed(occupied);
        }
        String version = peer == null ? null : peer.identity().version().toString();
        try (Station station = Station.open(
                "park",
                store,
                StoredGuest.Terms.arriving(version, peers.address(options)),
                mayBeOneWay(listen),
                options,
                lines)) {
            if (station.state() instanceof StoreState.ReceivingPostcopy) {
                // What was agreed on stays, and whether there is a preempt channel is the source's choice alone.
                options.setParameters(station.endpoint());
            } else {
                station.endpoint().setCapabilities(ours(terms));
                options.configure(station.endpoint());
            }
            station.listenToSignals();
            Arriving.Plan plan =
                    new Arriving.Plan(listen, real -> PeerOptions.withPort(reach, real), mode, terms, recoveries);
            return new Arriving(station, plan, peer == null ? null : new QemuSource(peer)).travel();
        }
    }

    /** What the mode needs; what was given on the command line comes on top. */
    private Map<Capability, Boolean> ours(MigrationTerms terms) {
        Map<Capability, Boolean> ours = new EnumMap<>(Capability.class);
        mode.terms()
                .capabilities()
                .forEach(capability -> ours.put(capability, terms.capabilities().contains(capability)));
        return ours;
    }

    /** What a file holds has no source that could take itself for done too early: it was done when the file was. */
    private boolean mayBeOneWay(MigrationAddress listen) {
        return unsafe || listen instanceof MigrationAddress.FileRange;
    }

    /** Where a VM has come in part: what its source says decides whether that is of use. */
    private @Nullable String whyNotGoOn(VmStore store, QemuPeer peer) {
        Manifest manifest = store.manifest();
        if (manifest == null || !(manifest.state() instanceof StoreState.ReceivingPostcopy)) {
            return null;
        }
        String other = peers.whyNotTheSame(
                "the rest of the VM is at the QEMU that it comes from",
                manifest.arrival().peer(),
                options);
        return other == null ? Origin.whyNotFrom(manifest, peer.identity()) : other;
    }

    private @Nullable String occupied(VmStore store) {
        StoreState state = stateOf(store);
        return switch (state) {
            case null -> null;
            case StoreState.Receiving _, StoreState.ReceivingPostcopy _, StoreState.Gone _ -> null;
            case StoreState.ParkedUnconfirmed _ ->
                "the VM in " + folder
                        + " is parked already, and unconfirmed: see that query-migrate says 'completed' at its source,"
                        + " then run 'godwit store confirm " + folder + "'";
            case StoreState.Parked _, StoreState.Leaving _ ->
                "a VM is in " + folder + " already (" + state.word() + "): choose another folder";
        };
    }

    private static @Nullable StoreState stateOf(VmStore store) {
        var manifest = store.manifest();
        return manifest == null ? null : manifest.state();
    }

    /** With its port 0 it is made whole once it is known. */
    private MigrationAddress reach(MigrationAddress listen) {
        if (peers.given() && listen instanceof MigrationAddress.FileRange) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--qmp-peer is for a QEMU that sends, and " + listen + " is a file: leave it out");
        }
        if (migrateUri != null) {
            return options.place(migrateUri);
        }
        if (peers.given() && listen instanceof MigrationAddress.Local) {
            throw new ParameterException(
                    spec.commandLine(), "the QEMU is to be told how it reaches " + listen + ": give --migrate-uri");
        }
        boolean anywhere = listen instanceof Address.Tcp tcp
                && (tcp.host().isEmpty()
                        || tcp.host().equals("0.0.0.0")
                        || tcp.host().equals("::"));
        if (!anywhere) {
            return listen;
        }
        if (peers.given() && !peers.here()) {
            throw new ParameterException(
                    spec.commandLine(),
                    "the QEMU is to be told how it reaches this host: give --migrate-uri tcp:THISHOST:PORT");
        }
        return new Address.Tcp("127.0.0.1", ((Address.Tcp) listen).port());
    }
}
