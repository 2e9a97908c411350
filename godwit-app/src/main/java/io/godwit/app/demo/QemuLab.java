// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Caretaker;
import io.godwit.app.lab.Child;
import io.godwit.app.lab.End;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.Side;
import io.godwit.app.lab.VmMemory;
import io.godwit.app.vm.Machine;
import io.godwit.guest.BootSector;
import io.godwit.net.Address;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the scenario with real QEMUs plays with: in each leg a QEMU and a Godwit that has the VM's folder, and the same two relays between them.
 *
 * <pre>
 *   park:    QEMU   ─ unix:src.sock ─ relay (a) ─ tcp ─ relay (b) ─ unix:dst.sock ─ Godwit ─ vm/
 *   unpark:  vm/ ─ Godwit ─ unix:src.sock ─ relay (a) ─ tcp ─ relay (b) ─ unix:dst.sock ─ QEMU
 * </pre>
 *
 * <p>All files and sockets lie in one folder, which a {@link Caretaker} removes however this process ends.
 */
final class QemuLab extends DemoGround {
    /** What the firmware has for itself at the end of memory, and some more. */
    private static final int FIRMWARE = 4 << 20;

    private static final Duration TICK = Duration.ofMillis(20);
    /** In which a guest has counted all its pages, if the accelerator works; the last one to be tried gets all the time there is. */
    private static final Duration TRIAL = Duration.ofSeconds(10);

    private final Virtualization qemu;
    private final BootSector guest;
    private @Nullable Caretaker caretaker;
    private @Nullable Child qemuChild;
    private @Nullable Child godwitChild;
    private String accelerator = "";

    QemuLab(Settings settings, Virtualization qemu, Board board) {
        super(settings, board);
        this.qemu = qemu;
        this.guest = BootSector.noise(1 << 20, Math.toIntExact(settings.size()) - FIRMWARE);
    }

    BootSector guest() {
        return guest;
    }

    /** {@code kvm} or {@code tcg}, once a machine runs. */
    String accelerator() {
        return accelerator;
    }

    /** A QEMU whose guest has counted all its pages, an empty folder for it, and the path between. */
    void startPark() throws LabFailed, IOException {
        requireShortPath("godwit.qmp");
        synchronized (this) {
            requireOpen();
            caretaker = Caretaker.start(folder);
        }
        guest.write(disk());
        board.begin("QEMU " + qemu.emulator().series(), "godwit, the VM's folder");
        End from = running();
        End to = godwit(Side.DESTINATION, "parking Godwit");
        startRelays();
        beginLeg(from, to);
        board.add(new Happening.GuestRuns(Side.SOURCE, true));
        board.add(new Happening.Outcome("relay (b) listens on %s".formatted(relayB().address())));
    }

    /** The first QEMU and the first Godwit end; another QEMU waits for a guest, and another Godwit opens the folder. */
    void startUnpark() throws LabFailed, IOException {
        endLeg();
        board.begin("godwit, the VM's folder", "QEMU " + qemu.emulator().series());
        Child child = machine("destination QEMU", accelerator, true);
        End to = connect(Side.DESTINATION, child, settings.patience());
        crew.need(child);
        qemuChild = child;
        End from = godwit(Side.SOURCE, "unparking Godwit");
        beginLeg(from, to);
    }

    private void beginLeg(End from, End to) throws IOException {
        begin(from, to);
        Child machine = there(qemuChild);
        Child godwit = there(godwitChild);
        board.add(new Happening.Outcome(
                from.isQemu()
                        ? "source is QEMU, process %d (%s), destination is Godwit, process %d"
                                .formatted(machine.pid(), accelerator, godwit.pid())
                        : "source is Godwit, process %d, destination is QEMU, process %d"
                                .formatted(godwit.pid(), machine.pid())));
    }

    /** Tries the accelerators until the guest of one counts. */
    private End running() throws LabFailed, IOException {
        List<String> all = qemu.accelerators();
        for (String each : all.subList(0, all.size() - 1)) {
            End end = attempt(each, TRIAL);
            if (end != null) {
                return end;
            }
            board.add(new Happening.Outcome(each + " does not work here"));
        }
        End end = attempt(all.getLast(), settings.patienceForAll());
        if (end == null) {
            throw new LabFailed(
                    "the guest does not run in QEMU " + qemu.emulator().series() + " with " + all.getLast());
        }
        return end;
    }

    private @Nullable End attempt(String accel, Duration patience) throws LabFailed, IOException {
        Child child = machine("source QEMU", accel, false);
        boolean runs = false;
        try {
            End end = connect(Side.SOURCE, child, patience);
            runs = counts(end, patience);
            if (runs) {
                accelerator = accel;
                qemuChild = child;
                crew.need(child);
                return end;
            }
            end.close();
            return null;
        } finally {
            if (!runs) {
                crew.retire(child);
                child.kill();
            }
        }
    }

    /** The guest's last page has been counted, so all have. */
    private boolean counts(End end, Duration patience) throws LabFailed, IOException {
        VmMemory memory = new VmMemory(end, folder, guest);
        long until = board.now() + patience.toNanos();
        while (!memory.isCounted()) {
            board.pass(TICK);
            if (board.now() > until) {
                return false;
            }
        }
        return true;
    }

    private Child machine(String name, String accel, boolean incoming) throws IOException {
        String prefix = incoming ? "dst" : "src";
        List<Path> qmp = List.of(folder.resolve(prefix + ".qmp"), folder.resolve(prefix + ".watch"));
        Machine machine = new Machine(qemu.emulator(), accel, settings.size(), disk(), qmp, incoming);
        return crew.add(() -> Child.deaf(name, machine.start(List.of())));
    }

    /** Its sockets come soon after its start. */
    private End connect(Side side, Child child, Duration patience) throws LabFailed, IOException {
        String prefix = side == Side.DESTINATION ? "dst" : "src";
        List<Address> qmp = List.of(
                new Address.Unix(folder.resolve(prefix + ".qmp")), new Address.Unix(folder.resolve(prefix + ".watch")));
        long until = board.now() + patience.toNanos();
        while (true) {
            try {
                return keep(new End(side, End.Kind.QEMU, board, qmp, folder, settings.patienceForAll()));
            } catch (LabFailed notYet) {
                if (!child.isAlive() || board.now() > until) {
                    throw new LabFailed(
                            child.isAlive() ? String.valueOf(notYet.getMessage()) : obituary(child), notYet);
                }
                board.pass(TICK);
            }
        }
    }

    private End godwit(Side side, String name) throws LabFailed, IOException {
        Address qmp = new Address.Unix(folder.resolve("godwit.qmp"));
        List<String> words = List.of(
                "run",
                "--json",
                "--die-with-parent",
                "--store",
                folder.resolve("vm").toString(),
                "--qmp",
                qmp.toString());
        Child child = crew.add(() -> Child.start(name, List.of(), words));
        crew.need(child);
        godwitChild = child;
        child.awaitReady(settings.patienceForAll());
        return keep(new End(side, End.Kind.STORE, board, List.of(qmp, qmp), folder, settings.patienceForAll()));
    }

    /** Ends both processes of a leg by QMP; each must end with exit code 0. */
    void endLeg() throws LabFailed, IOException {
        quit(List.of(there(qemuChild), there(godwitChild)), settings.patience());
    }

    /** The memory of the QEMU that has the guest. */
    VmMemory memory(End end) {
        return new VmMemory(end, folder, guest);
    }

    private Path disk() {
        return folder.resolve("disk");
    }

    private static String obituary(Child child) {
        return child.obituary(child.exit().join());
    }

    @Override
    protected synchronized void removeFolder() {
        if (caretaker != null) {
            caretaker.close();
        }
    }
}
