// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Child;
import io.godwit.app.lab.End;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.Side;
import io.godwit.app.lab.VmMemory;
import io.godwit.app.term.ChildCommand;
import io.godwit.app.vm.Emulator;
import io.godwit.app.vm.Machine;
import io.godwit.app.vm.Tied;
import io.godwit.guest.BootSector;
import io.godwit.json.Json;
import io.godwit.net.Address;
import io.godwit.qmp.QmpException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A machine, the command that takes it into a folder or out of it, and the network between them, here relays (with {@code --netns} packets go straight from one to the other). {@link #close} may be called from any thread, the rest is for one.
 *
 * <pre>
 *   in:   machine ─ unix:src.sock ─ relay (a) ─ tcp ─ relay (b) ─ unix:dst.sock ─ godwit park ─ vm/
 *   out:  vm/ ─ godwit unpark ─ unix:src.sock ─ relay (a) ─ tcp ─ relay (b) ─ unix:dst.sock ─ machine
 * </pre>
 *
 * The path is slow, so that there is time for something to happen on it.
 */
final class ParkField extends TortureGround {
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration ANSWER = Duration.ofSeconds(20);
    private static final Duration END = Duration.ofSeconds(10);
    private static final Duration TICK = Duration.ofMillis(20);

    /** What the firmware has for itself at the end of memory, and some more. */
    private static final int FIRMWARE = 4 << 20;

    private static final int WRITERS = 2;
    private static final int READERS = 2;
    private static final int RATE = 4_000;
    private static final int READ_RATE = 500;
    private static final int HOT_PERCENT = 5;
    private static final int COLD_PERCENT = 85;

    private final long size;
    private final @Nullable Emulator emulator;
    private final BootSector sector;
    private @Nullable Child machine;
    private @Nullable End machineEnd;
    private @Nullable Child command;
    private @Nullable End commandEnd;
    private List<String> words = List.of();
    private Side commandSide = Side.DESTINATION;
    private int machines;

    /** @param emulator that runs the machine; null: it is a Godwit's embedded guest */
    ParkField(Board board, long size, @Nullable Emulator emulator, boolean netns) {
        super(board, netns);
        this.size = size;
        this.emulator = emulator;
        this.sector = BootSector.noise(1 << 20, Math.toIntExact(size) - FIRMWARE);
    }

    /** Makes the folder and the path. */
    void open() throws IOException {
        makeFolder("machine9.watch");
        sector.write(disk());
        makeNetwork(false);
    }

    Path store() {
        return folder.resolve("vm");
    }

    boolean isQemu() {
        return emulator != null;
    }

    /** Whether it gives its guest up, as destination, for a recovery that ends before its fourth byte. */
    boolean mayGiveUpEarly() {
        return emulator != null && emulator.mayGiveUpEarly();
    }

    // ---- the machine

    /** Starts one: as source it runs and has been through its memory, as destination it waits for what comes. */
    void startMachine(Side side, long seed) throws LabFailed, IOException {
        board.forget(side);
        Child child = emulator == null ? embedded(side, seed) : virtual(emulator, side);
        machine = child;
        End end = connect(side, child);
        machineEnd = end;
        board.add(new Happening.Outcome("the machine at the " + side + " is process " + child.pid()));
        if (side == Side.SOURCE) {
            crew.need(child);
            if (emulator != null) {
                awaitCounted();
            }
        }
    }

    private Child embedded(Side side, long seed) throws IOException {
        List<String> more = new ArrayList<>(List.of("run", "--json", "--die-with-parent", "--size", "" + size));
        more.addAll(List.of("--qmp", qmp("qmp").toString()));
        more.addAll(
                side == Side.SOURCE
                        ? churn(WRITERS, RATE, READERS, READ_RATE, HOT_PERCENT, COLD_PERCENT, seed)
                        : List.of("--incoming", "defer"));
        return crew.add(() -> Child.start("machine", network().launcher(side), more));
    }

    private Child virtual(Emulator qemu, Side side) throws IOException {
        List<Path> sockets = List.of(path("qmp"), path("watch"), path("peer"));
        Machine vm = new Machine(qemu, "tcg", size, disk(), sockets, side == Side.DESTINATION);
        return crew.add(() -> Child.deaf("machine", vm.start(network().launcher(side))));
    }

    private End connect(Side side, Child child) throws LabFailed, IOException {
        if (emulator == null) {
            child.awaitReady(START);
            return keep(new End(side, End.Kind.EMBEDDED, board, List.of(qmp("qmp"), qmp("qmp")), folder, ANSWER));
        }
        long until = board.now() + START.toNanos();
        while (true) {
            try {
                return keep(new End(side, End.Kind.QEMU, board, List.of(qmp("qmp"), qmp("watch")), folder, ANSWER));
            } catch (LabFailed notYet) {
                if (!child.isAlive() || board.now() > until) {
                    throw notYet;
                }
                board.pass(TICK);
            }
        }
    }

    private void awaitCounted() throws LabFailed, IOException {
        VmMemory memory = new VmMemory(machine(), folder, sector);
        long until = board.now() + START.toNanos();
        while (!memory.isCounted()) {
            if (board.now() > until) {
                throw new LabFailed("the guest does not run in its QEMU");
            }
            board.pass(TICK);
        }
    }

    private Path path(String kind) {
        return folder.resolve("machine" + machines + "." + kind);
    }

    private Address qmp(String kind) {
        return new Address.Unix(path(kind));
    }

    /** Where the command reaches the machine's QMP. */
    Address peer() {
        return qmp(emulator == null ? "qmp" : "peer");
    }

    End machine() {
        return there(machineEnd);
    }

    boolean machineLives() {
        return there(machine).isAlive();
    }

    /** Brings the board up to date: some of QEMU's changes come without an event. */
    void sample() {
        try {
            if (machineLives()) {
                machine().sample();
            }
        } catch (QmpException e) {
            board.add(new Happening.Outcome("the machine does not answer: " + e.getMessage()));
        }
    }

    /** Ends it by QMP; the exit code must be 0. */
    void quitMachine() throws LabFailed {
        Child child = there(machine);
        crew.retire(child);
        machine().order("quit");
        int code = child.exit()
                .completeOnTimeout(-1, END.toSeconds(), TimeUnit.SECONDS)
                .join();
        if (code != 0) {
            throw new LabFailed("the machine's process did not end by quit: exit code " + code);
        }
        machine().close();
    }

    /** The next one has sockets of its own. */
    void nextMachine() {
        machines++;
    }

    /**
     * After a migration that failed, what a QEMU 7.2 sends next is not what its machine has (seen with tcg, between two of them, too): so another takes its place, and its guest is given up.
     * Newer ones go on.
     */
    void renewSource() throws LabFailed, IOException {
        if (emulator != null && emulator.mayNotSurviveFailedRecoveries()) {
            board.add(new Happening.Outcome("a QEMU of this age is good for one migration: another source"));
            replaceMachine(Side.SOURCE);
        }
    }

    /** A destination is good for one try, whether its guest never came or was given up: another waits in its place, at the same sockets. */
    void replaceDestination() throws LabFailed, IOException {
        replaceMachine(Side.DESTINATION);
    }

    private void replaceMachine(Side side) throws LabFailed, IOException {
        crew.retire(there(machine));
        there(machine).kill();
        machine().close();
        startMachine(side, 0);
    }

    // ---- the command

    /** This is what is started from now on, again and again. */
    void command(Side side, List<String> commandLine) {
        commandSide = side;
        words = List.copyOf(commandLine);
        command = null;
    }

    /** Starts it, and waits until it is ready or has ended. */
    void startCommand() throws LabFailed, IOException {
        board.forget(commandSide);
        board.add(new Happening.Order(commandSide, End.words(String.join(" ", words), Json.object(), folder)));
        List<String> line = ChildCommand.of(words);
        Child child = crew.add(() ->
                Child.deaf("command", Tied.start(Tied.builder(network().launcher(commandSide), line))));
        command = child;
        try {
            child.awaitReady(START);
            Address qmp = commandQmp();
            End end = keep(new End(commandSide, End.Kind.STORE, board, List.of(qmp, qmp), folder, ANSWER));
            commandEnd = end;
            // A process that goes on with a folder is in a state already, and tells of no change.
            String status = end.query("query-migrate").string("status", "none");
            if (!status.equals("none") && board.mark(commandSide) == 0) {
                board.add(new Happening.Status(commandSide, status, "so it was when it was started"));
            }
        } catch (LabFailed e) {
            if (child.exit()
                            .completeOnTimeout(-1, END.toSeconds(), TimeUnit.SECONDS)
                            .join()
                    < 0) {
                throw e;
            }
        }
    }

    Address commandQmp() {
        return socket("command.qmp");
    }

    /** Whether one was started and has not ended. */
    boolean commandLives() {
        return command != null && command.isAlive();
    }

    /** How it ended. */
    int commandCode() {
        closeCommand();
        return there(command).exit().join();
    }

    /** What it said when it ended. */
    String commandWord() {
        Child child = there(command);
        return child.obituary(child.exit().join());
    }

    void killCommand() {
        there(command).kill();
        closeCommand();
    }

    private void closeCommand() {
        if (commandEnd != null) {
            commandEnd.close();
            commandEnd = null;
        }
    }

    // ---- what is done to them

    /** Stops the process at that end for so long. */
    void freeze(Side side, Duration time) throws LabFailed, IOException {
        Child child = there(side == commandSide ? command : machine);
        if (!child.isAlive()) {
            return;
        }
        try (Frozen _ = Frozen.stop(child.pid())) {
            board.pass(time);
        }
    }

    /** What the machine has in memory now. */
    ParkedMemory memory() {
        return new ParkedMemory(machine(), folder, store(), emulator == null ? null : sector);
    }

    private Path disk() {
        return folder.resolve("disk");
    }
}
