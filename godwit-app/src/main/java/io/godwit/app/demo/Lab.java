// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the scenario plays with: two processes, and two relays between them.
 *
 * <pre>
 *   source ─ unix:src.sock ─ relay (a) ─ tcp ─ relay (b) ─ unix:dst.sock ─ destination
 * </pre>
 *
 * <p>All sockets lie in one folder, which the children make. However this process ends, they notice, and remove it. {@link #close} may be called from any
 * thread, the rest is for one.
 */
final class Lab implements Ground, AutoCloseable {
    private static final long DYING_MILLIS = 300;
    private static final Duration END = Duration.ofMillis(2_500);

    private final Settings settings;
    private final Board board;
    private final Path folder;
    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<Child> children = new ArrayList<>();
    private final RelayLog relays;
    private boolean closed;

    private @Nullable End source;
    private @Nullable End destination;
    private @Nullable Relay relayA;
    private @Nullable Relay relayB;

    Lab(Settings settings, Board board) {
        this.settings = settings;
        this.board = board;
        this.relays = new RelayLog(board);
        byte[] random = new byte[6];
        new SecureRandom().nextBytes(random);
        folder = Path.of(
                System.getProperty("java.io.tmpdir"),
                "godwit-demo-" + HexFormat.of().formatHex(random));
    }

    /** Starts everything and connects to both. */
    void start() throws DemoFailed, IOException {
        requireShortPath();
        Address sourceQmp = new Address.Unix(folder.resolve("src.qmp"));
        Address destinationQmp = new Address.Unix(folder.resolve("dst.qmp"));
        Child first = child(Side.SOURCE, sourceQmp, guest());
        Child second = child(Side.DESTINATION, destinationQmp, List.of("--incoming", "defer"));
        first.awaitReady(settings.patienceForAll());
        second.awaitReady(settings.patienceForAll());
        Relay b = Relay.start(
                new Address.Tcp("127.0.0.1", 0),
                destinationAddress(),
                FaultPlan.NONE,
                event -> relays.add("(b)", event));
        relayB = keep(b);
        Address in = new Address.Unix(folder.resolve("src.sock"));
        relayA = keep(Relay.start(in, b.address(), FaultPlan.NONE, event -> relays.add("(a)", event)));
        End from = keep(new End(Side.SOURCE, board, sourceQmp, folder, settings.patienceForAll()));
        End to = keep(new End(Side.DESTINATION, board, destinationQmp, folder, settings.patienceForAll()));
        source = from;
        destination = to;
        keep(new Sampler(board, List.of(from, to)));
        board.add(new Happening.Outcome("source is process %d, destination %d, relay (b) listens on %s"
                .formatted(first.pid(), second.pid(), b.address())));
    }

    private void requireShortPath() throws IOException {
        try {
            destinationAddress();
        } catch (IllegalArgumentException e) {
            throw new IOException("the folder for temporary files is too deep for sockets: " + e.getMessage(), e);
        }
    }

    private List<String> guest() {
        List<String> words = new ArrayList<>();
        words.addAll(List.of("--writers", "" + settings.writers(), "--rate", "" + settings.rate()));
        words.addAll(List.of("--readers", "" + Settings.READERS, "--read-rate", "" + settings.readRate()));
        words.addAll(List.of("--hot", "" + settings.hotPercent(), "--cold", "" + settings.coldPercent()));
        words.addAll(List.of("--seed", "" + settings.seed()));
        return words;
    }

    private Child child(Side side, Address qmp, List<String> more) throws IOException {
        List<String> words = new ArrayList<>(List.of("run", "--json", "--die-with-parent"));
        words.addAll(List.of("--private-folder", folder.toString(), "--qmp", qmp.toString()));
        words.addAll(List.of("--size", "" + settings.size()));
        words.addAll(more);
        synchronized (this) {
            requireOpen();
            Child child = Child.start(side.toString(), words);
            children.add(child);
            var _ = child.exit()
                    .thenAccept(code -> board.fail("the " + side + "'s process ended with exit code " + code));
            return child;
        }
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

    private static <T> T there(@Nullable T thing) {
        if (thing == null) {
            throw new IllegalStateException("the lab was not started");
        }
        return thing;
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

    /** Ends both processes by QMP; each must end with exit code 0. */
    void quit() throws DemoFailed, IOException {
        List<Child> both;
        synchronized (this) {
            requireOpen();
            open.forEach(thing -> {
                if (thing instanceof Sampler sampler) {
                    sampler.close();
                }
            });
            both = List.copyOf(children);
        }
        for (End end : List.of(source(), destination())) {
            end.order("quit");
        }
        for (Child child : both) {
            int code = child.exit()
                    .completeOnTimeout(-1, END.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
            if (code != 0) {
                throw new DemoFailed("process " + child.pid() + " did not end by quit: exit code " + code);
            }
        }
    }

    /** Which process has ended, or does so now, as a sentence; null if both live. */
    @Nullable
    String dead() {
        List<Child> both;
        synchronized (this) {
            both = List.copyOf(children);
        }
        for (Child child : both) {
            int code = child.exit()
                    .completeOnTimeout(-1, DYING_MILLIS, TimeUnit.MILLISECONDS)
                    .join();
            if (code >= 0) {
                return child.obituary(code);
            }
        }
        return null;
    }

    /** What the processes and the relays said last. */
    List<String> tails(int most) {
        List<String> all = new ArrayList<>();
        List<Child> both;
        synchronized (this) {
            both = List.copyOf(children);
        }
        for (Child child : both) {
            all.add("--- the " + child.name() + " (process " + child.pid() + ") said last:");
            all.addAll(child.tail(most));
        }
        all.add("--- the relays said last:");
        all.addAll(relays.tail(most));
        return all;
    }

    /** Ends everything, whatever state it is in, and removes the folder. */
    @Override
    public void close() {
        List<AutoCloseable> things;
        List<Child> both;
        synchronized (this) {
            closed = true;
            things = List.copyOf(open).reversed();
            both = List.copyOf(children);
            open.clear();
        }
        both.forEach(Child::release);
        for (AutoCloseable thing : things) {
            try {
                thing.close();
            } catch (Exception e) {
                throw new IllegalStateException("a part of the demo could not be closed", e);
            }
        }
        both.forEach(child -> child.awaitEnd(END));
        removeFolder();
    }

    /** The children have removed it if they ended by themselves. */
    private void removeFolder() {
        try {
            for (String name : List.of("src.qmp", "dst.qmp", "src.sock", "dst.sock")) {
                Files.deleteIfExists(folder.resolve(name));
            }
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw new IllegalStateException("the folder " + folder + " could not be removed", e);
        }
    }

    /** For a command's arguments. */
    static JsonObject with(String name, Json value) {
        return JsonObject.builder().put(name, value).build();
    }
}
