// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.vm.Machine;
import io.godwit.guest.BootSector;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the scenario with real QEMUs plays with: in each leg a QEMU and a Godwit that has the VM's folder, and the same two relays between them.
 *
 * <pre>
 *   park:    QEMU   ─ unix:src.sock ─ relay (a) ─ tcp ─ relay (b) ─ unix:dst.sock ─ Godwit ─ vm/
 *   unpark:  vm/ ─ Godwit ─ unix:src.sock ─ relay (a) ─ tcp ─ relay (b) ─ unix:dst.sock ─ QEMU
 * </pre>
 *
 * <p>All files and sockets lie in one folder, which a {@link Caretaker} removes however this process ends. {@link #close} may be called from any thread, the rest is for one.
 */
final class QemuLab implements Ground, AutoCloseable {
    /** What the firmware has for itself at the end of memory, and some more. */
    private static final int FIRMWARE = 4 << 20;

    private static final Duration TICK = Duration.ofMillis(20);
    /** In which a guest has counted all its pages, if the accelerator works; the last one to be tried gets all the time there is. */
    private static final Duration TRIAL = Duration.ofSeconds(10);

    private final Settings settings;
    private final Virtualization qemu;
    private final Board board;
    private final BootSector guest;
    private final Path folder;
    private final RelayLog relays;
    private final List<AutoCloseable> open = new ArrayList<>();
    private final Crew crew;
    private boolean closed;
    private @Nullable Caretaker caretaker;

    private @Nullable End source;
    private @Nullable End destination;
    private @Nullable Relay relayA;
    private @Nullable Relay relayB;
    private @Nullable Sampler sampler;
    private @Nullable Child qemuChild;
    private @Nullable Child godwitChild;
    private String accelerator = "";

    QemuLab(Settings settings, Virtualization qemu, Board board) {
        this.settings = settings;
        this.qemu = qemu;
        this.board = board;
        this.guest = BootSector.noise(1 << 20, Math.toIntExact(settings.size()) - FIRMWARE);
        this.relays = new RelayLog(board);
        this.crew = new Crew(board);
        byte[] random = new byte[6];
        new SecureRandom().nextBytes(random);
        folder = Path.of(
                System.getProperty("java.io.tmpdir"),
                "godwit-demo-" + HexFormat.of().formatHex(random));
    }

    BootSector guest() {
        return guest;
    }

    /** {@code kvm} or {@code tcg}, once a machine runs. */
    String accelerator() {
        return accelerator;
    }

    /** A QEMU whose guest has counted all its pages, an empty folder for it, and the path between. */
    void startPark() throws DemoFailed, IOException {
        requireShortPath();
        synchronized (this) {
            requireOpen();
            caretaker = Caretaker.start(folder);
        }
        guest.write(disk());
        board.begin("QEMU " + qemu.emulator().series(), "godwit, the VM's folder");
        End from = running();
        End to = godwit(Side.DESTINATION, "parking Godwit");
        Relay b = Relay.start(
                new Address.Tcp("127.0.0.1", 0),
                destinationAddress(),
                FaultPlan.NONE,
                event -> relays.add("(b)", event));
        relayB = keep(b);
        relayA = keep(Relay.start(
                new Address.Unix(folder.resolve("src.sock")),
                b.address(),
                FaultPlan.NONE,
                event -> relays.add("(a)", event)));
        begin(from, to);
        board.add(new Happening.GuestRuns(Side.SOURCE, true));
        board.add(new Happening.Outcome("relay (b) listens on %s".formatted(b.address())));
    }

    /** The first QEMU and the first Godwit end; another QEMU waits for a guest, and another Godwit opens the folder. */
    void startUnpark() throws DemoFailed, IOException {
        endLeg();
        board.begin("godwit, the VM's folder", "QEMU " + qemu.emulator().series());
        Child child = machine("destination QEMU", accelerator, true);
        End to = connect(Side.DESTINATION, child, settings.patience());
        crew.need(child);
        qemuChild = child;
        End from = godwit(Side.SOURCE, "unparking Godwit");
        begin(from, to);
    }

    private void begin(End from, End to) throws IOException {
        source = from;
        destination = to;
        sampler = keep(new Sampler(board, List.of(from, to)));
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
    private End running() throws DemoFailed, IOException {
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
            throw new DemoFailed(
                    "the guest does not run in QEMU " + qemu.emulator().series() + " with " + all.getLast());
        }
        return end;
    }

    private @Nullable End attempt(String accel, Duration patience) throws DemoFailed, IOException {
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
    private boolean counts(End end, Duration patience) throws DemoFailed, IOException {
        GuestMemory memory = new GuestMemory(end, folder, guest);
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
        return crew.add(() -> Child.deaf(name, machine.start()));
    }

    /** Its sockets come soon after its start. */
    private End connect(Side side, Child child, Duration patience) throws DemoFailed, IOException {
        String prefix = side == Side.DESTINATION ? "dst" : "src";
        List<Address> qmp = List.of(
                new Address.Unix(folder.resolve(prefix + ".qmp")), new Address.Unix(folder.resolve(prefix + ".watch")));
        long until = board.now() + patience.toNanos();
        while (true) {
            try {
                return keep(new End(side, End.Kind.QEMU, board, qmp, folder, settings.patienceForAll()));
            } catch (DemoFailed notYet) {
                if (!child.isAlive() || board.now() > until) {
                    throw new DemoFailed(
                            child.isAlive() ? String.valueOf(notYet.getMessage()) : obituary(child), notYet);
                }
                board.pass(TICK);
            }
        }
    }

    private End godwit(Side side, String name) throws DemoFailed, IOException {
        Address qmp = new Address.Unix(folder.resolve("godwit.qmp"));
        List<String> words = List.of(
                "run",
                "--json",
                "--die-with-parent",
                "--store",
                folder.resolve("vm").toString(),
                "--qmp",
                qmp.toString());
        Child child = crew.add(() -> Child.start(name, words));
        crew.need(child);
        godwitChild = child;
        child.awaitReady(settings.patienceForAll());
        return keep(new End(side, End.Kind.STORE, board, List.of(qmp, qmp), folder, settings.patienceForAll()));
    }

    /** Ends both processes of a leg by QMP; each must end with exit code 0. */
    void endLeg() throws DemoFailed, IOException {
        there(sampler).close();
        List<Child> both = List.of(there(qemuChild), there(godwitChild));
        both.forEach(crew::retire);
        List<End> ends = List.of(source(), destination());
        for (End end : ends) {
            end.order("quit");
        }
        for (Child child : both) {
            int code = child.exit()
                    .completeOnTimeout(-1, settings.patience().toMillis(), TimeUnit.MILLISECONDS)
                    .join();
            if (code != 0) {
                throw new DemoFailed("the " + child.name() + "'s process " + child.pid()
                        + " did not end by quit: exit code " + code);
            }
        }
        ends.forEach(End::close);
    }

    private synchronized <T extends AutoCloseable> T keep(T thing) throws IOException {
        open.add(thing);
        requireOpen();
        return thing;
    }

    private void requireOpen() throws IOException {
        if (closed) {
            throw new IOException("the demo is being ended");
        }
    }

    private void requireShortPath() throws IOException {
        try {
            new Address.Unix(folder.resolve("godwit.qmp"));
        } catch (IllegalArgumentException e) {
            throw new IOException("the folder for temporary files is too deep for sockets: " + e.getMessage(), e);
        }
    }

    /** The memory of the QEMU that has the guest. */
    GuestMemory memory(End end) {
        return new GuestMemory(end, folder, guest);
    }

    private Path disk() {
        return folder.resolve("disk");
    }

    private static <T> T there(@Nullable T thing) {
        if (thing == null) {
            throw new IllegalStateException("the lab was not started");
        }
        return thing;
    }

    @Override
    public End source() {
        return there(source);
    }

    @Override
    public End destination() {
        return there(destination);
    }

    @Override
    public Relay relayA() {
        return there(relayA);
    }

    @Override
    public Relay relayB() {
        return there(relayB);
    }

    @Override
    public Address sourceAddress() {
        return relayA().address();
    }

    @Override
    public Address destinationAddress() {
        return new Address.Unix(folder.resolve("dst.sock"));
    }

    @Override
    public void orderBoth(String command, JsonObject arguments) throws DemoFailed {
        board.add(new Happening.Order(null, End.words(command, arguments, folder)));
        source().ask(command, arguments);
        destination().ask(command, arguments);
    }

    private static String obituary(Child child) {
        return child.obituary(child.exit().join());
    }

    @Nullable
    String dead() {
        return crew.dead();
    }

    /** What the processes and the relays said last. */
    List<String> tails(int most) {
        List<String> all = crew.tails(most);
        all.add("--- the relays said last:");
        all.addAll(relays.tail(most));
        return all;
    }

    /** Ends everything, whatever state it is in, and has the folder removed. */
    @Override
    public void close() {
        List<AutoCloseable> things;
        Caretaker last;
        synchronized (this) {
            closed = true;
            things = List.copyOf(open).reversed();
            open.clear();
            last = caretaker;
        }
        crew.release();
        for (AutoCloseable thing : things) {
            try {
                thing.close();
            } catch (Exception e) {
                throw new IllegalStateException("a part of the demo could not be closed", e);
            }
        }
        crew.awaitEnd();
        if (last != null) {
            last.close();
        }
    }
}
