// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import io.godwit.app.term.EndpointOptions;
import io.godwit.app.term.StatusLines;
import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.StoredGuest;
import io.godwit.net.MigrationAddress;
import io.godwit.peer.MigrationTerms;
import io.godwit.peer.PeerException;
import io.godwit.peer.QemuDestination;
import io.godwit.peer.QemuPeer;
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
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code godwit unpark}: a parked VM runs again, in a QEMU that waits for it. */
@Command(
        name = "unpark",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Brings a parked VM to a QEMU that waits for it (-incoming defer), where it runs again within milliseconds, and its memory follows.",
            "The QEMU needs the VM's machine type and memory size, the same disks, and the same version as it came from or a newer one.",
            "",
            "A way that was interrupted, also by the end of this process, is gone on with by the same command.",
            "Ctrl-C cancels before the VM has moved; after that it asks once."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it has arrived, all of it",
            "1:it has not arrived; the sentence says where it is",
            "2:wrong arguments",
            "3:all of it was sent, and nothing proves that it has arrived",
            "69:an address, the folder or the QEMU's QMP cannot be used",
            "70:something that nobody expected",
            "75:it may run there while some of its memory is here; nothing is lost, the same command goes on"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  qemu-system-x86_64 ... -incoming defer -qmp unix:/run/web1b.qmp,server=on,wait=off &",
            "  godwit unpark /var/lib/godwit/web1 --to tcp:newhost:4445 --qmp-peer unix:/run/web1b.qmp",
            "",
            "Compressed, over channels of their own (both ends are set alike; without --mode precopy only from QEMU 11 on):",
            "  ... --mode precopy --set-capability multifd --set-parameter multifd-channels=4 \\",
            "      --set-parameter multifd-compression=zstd",
            "",
            "By hand, without --qmp-peer (at the QEMU's QMP, before this command is given):",
            "  migrate-set-capabilities {\"capabilities\": [{\"capability\": \"return-path\", \"state\": true},",
            "                                              {\"capability\": \"postcopy-ram\", \"state\": true}]}",
            "  migrate-incoming {\"uri\": \"tcp:0.0.0.0:4445\"}",
            "With multifd, before that: its capability, and migrate-set-parameters for the same multifd-channels and",
            "multifd-compression as here.",
            "When both ends say 'postcopy-paused':",
            "  migrate-recover {\"uri\": \"tcp:0.0.0.0:4446\"}                then at this side's QMP (--qmp):",
            "  migrate {\"uri\": \"tcp:newhost:4446\", \"resume\": true}"
        })
public final class UnparkCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "FOLDER", description = "The VM's folder.")
    private Path folder;

    @Option(
            names = "--to",
            paramLabel = "URI",
            required = true,
            description = {
                "Where the QEMU is reached: tcp:HOST:PORT or unix:PATH; or exec:COMMAND, whose input takes the VM and"
                        + " whose output is the way back; or fd:NUMBER, a descriptor this command was started with.",
                "file:PATH[,offset=N] saves it for 'qemu -incoming file:PATH' (with --mode precopy). The file's QEMU says"
                        + " nothing, so the VM stays 'leaving' here (exit code 3) until 'godwit store arrived' or 'take-back';"
                        + " with --clone it stays parked, and the file is a copy.",
                "A command that answers nothing needs '--mode precopy --set-capability return-path=off'."
            })
    private String to;

    @Mixin
    private PeerOptions peers;

    @Option(
            names = "--listen-uri",
            paramLabel = "URI",
            description = "What the QEMU is told to listen on (default: what --to says).")
    private @Nullable String listenUri;

    @Option(
            names = "--mode",
            paramLabel = "postcopy|precopy",
            description =
                    "postcopy (default): it runs at once, its memory follows. precopy: all of its memory first, then it runs;"
                            + " until then nothing has happened.")
    private Mode mode = Mode.POSTCOPY;

    @Option(
            names = "--clone",
            description = "As a copy: the VM stays parked. Two of it must not use the same disks or addresses.")
    private boolean asClone;

    @Option(
            names = "--even-unconfirmed",
            description = "Your word that its source does not run it, where that was not heard.")
    private boolean evenUnconfirmed;

    @Mixin
    private EndpointOptions options;

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public UnparkCommand() {}

    @Override
    public Integer call() {
        options.requireName(folder, "FOLDER");
        MigrationAddress target = options.place(to);
        checkPlace(target);
        MigrationAddress listen = listenUri == null ? target : options.place(listenUri);
        MigrationTerms terms = peers.terms(mode, options, target);
        return Trip.make(
                spec,
                options,
                peers,
                (peer, lines) -> unpark(
                        peer, lines, new Leaving.Plan(target, listen, mode, asClone, terms, peers.recoveries())));
    }

    private void checkPlace(MigrationAddress target) {
        String wrong = null;
        if (target instanceof MigrationAddress.FileRange file) {
            if (mode == Mode.POSTCOPY) {
                wrong = "postcopy needs a destination that answers, and " + file + " is a file: give --mode precopy";
            } else if (file.path()
                    .toAbsolutePath()
                    .normalize()
                    .startsWith(folder.toAbsolutePath().normalize())) {
                wrong = file.path() + " is in the VM's own folder: name a file elsewhere";
            } else if (peers.given()) {
                wrong = "--qmp-peer is for a QEMU that receives, and " + file + " is a file: leave it out";
            }
        } else if (target instanceof MigrationAddress.Local && peers.given() && listenUri == null) {
            wrong = "the QEMU is to be told where it is reached by " + target + ": give --listen-uri";
        }
        if (wrong != null) {
            throw new ParameterException(spec.commandLine(), wrong);
        }
    }

    private Outcome unpark(@Nullable QemuPeer peer, StatusLines lines, Leaving.Plan plan)
            throws IOException, CommandRefused, PeerException {
        VmStore store = VmStore.openExisting(new OsDisk(), folder, Clock.systemUTC(), QmpVersion.GODWIT.packageName());
        Manifest manifest = Objects.requireNonNull(store.manifest());
        StoreState.Departure before;
        String wrong;
        try {
            before = interrupted(manifest, peer);
            wrong = before == null ? store.whyNotLeave(evenUnconfirmed) : whyNotGoOn(manifest, before, plan);
            if (wrong == null && peer != null) {
                new QemuDestination(peer).checkFits(Origin.of(manifest, peer.identity()));
            }
        } catch (PeerException e) {
            store.close();
            throw e;
        }
        if (wrong != null) {
            store.close();
            return Outcome.failed(wrong);
        }
        StoredGuest.Copy copy =
                !asClone ? StoredGuest.Copy.NONE : before == null ? StoredGuest.Copy.NEW : StoredGuest.Copy.LAST;
        StoredGuest.Terms terms =
                StoredGuest.Terms.leaving(peers.address(options), plan.to().toString(), copy, evenUnconfirmed);
        try (Station station = Station.open("unpark", store, terms, false, options, lines)) {
            if (before == null) {
                station.endpoint().setCapabilities(ours(plan.terms()));
            }
            options.configure(station.endpoint());
            station.listenToSignals();
            return new Leaving(station, plan, destination(peer, before), before != null).travel();
        }
    }

    private static @Nullable QemuDestination destination(
            @Nullable QemuPeer peer, StoreState.@Nullable Departure before) {
        if (peer == null) {
            return null;
        }
        return before == null ? new QemuDestination(peer) : QemuDestination.joined(peer);
    }

    /**
     * The way that an earlier process has begun and not ended, or null. A copy's shows only at its QEMU, which has the guest and not all of its memory.
     */
    private StoreState.@Nullable Departure interrupted(Manifest manifest, @Nullable QemuPeer peer)
            throws PeerException {
        if (manifest.state() instanceof StoreState.Leaving(StoreState.Departure departure, boolean _)) {
            return departure;
        }
        StoreState.Departure copy = manifest.lastClone();
        boolean kept = manifest.state() instanceof StoreState.Parked
                || manifest.state() instanceof StoreState.ParkedUnconfirmed;
        return asClone
                        && kept
                        && copy != null
                        && copy.postcopy()
                        && peer != null
                        && peer.state().inPostcopy()
                ? copy
                : null;
    }

    private @Nullable String whyNotGoOn(Manifest manifest, StoreState.Departure before, Leaving.Plan plan) {
        if (asClone && manifest.state() instanceof StoreState.Leaving) {
            return "the VM is on its way to " + before.to()
                    + " itself, not as a copy: leave --clone out to go on with that";
        }
        boolean sameWay = before.peer() == null && before.to().equals(plan.to().toString());
        return sameWay
                ? null
                : peers.whyNotTheSame("the VM left for the QEMU at " + before.to(), before.peer(), options);
    }

    /** What the mode needs; what was given on the command line comes on top. */
    private Map<Capability, Boolean> ours(MigrationTerms terms) {
        Map<Capability, Boolean> ours = new EnumMap<>(Capability.class);
        mode.terms()
                .capabilities()
                .forEach(capability -> ours.put(capability, terms.capabilities().contains(capability)));
        return ours;
    }
}
