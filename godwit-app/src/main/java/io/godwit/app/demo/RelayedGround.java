// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.json.Json;
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
 * What every scenario has: a folder for its sockets, which nobody else has, two relays in a row, the processes, and what is to be closed in the end.
 *
 * <p>{@link #close} may be called from any thread, the rest is for one.
 */
abstract class RelayedGround implements Ground, AutoCloseable {
    final Settings settings;
    final Board board;
    final Path folder;
    final Crew crew;
    private final RelayLog relays;
    private final List<AutoCloseable> open = new ArrayList<>();
    private boolean closed;

    private @Nullable End source;
    private @Nullable End destination;
    private @Nullable Relay relayA;
    private @Nullable Relay relayB;
    private @Nullable Sampler sampler;

    RelayedGround(Settings settings, Board board) {
        this.settings = settings;
        this.board = board;
        this.crew = new Crew(board);
        this.relays = new RelayLog(board);
        byte[] random = new byte[6];
        new SecureRandom().nextBytes(random);
        folder = Path.of(
                System.getProperty("java.io.tmpdir"),
                "godwit-demo-" + HexFormat.of().formatHex(random));
    }

    /** @throws IOException with a sentence, if a socket with the longest of the names cannot be there */
    final void requireShortPath(String longest) throws IOException {
        try {
            new Address.Unix(folder.resolve(longest));
        } catch (IllegalArgumentException e) {
            throw new IOException("the folder for temporary files is too deep for sockets: " + e.getMessage(), e);
        }
    }

    /** The path between the ends; the folder is there. */
    final void startRelays() throws IOException {
        Relay b = Relay.start(
                new Address.Tcp("127.0.0.1", 0),
                destinationAddress(),
                FaultPlan.NONE,
                event -> relays.add("(b)", event));
        relayB = keep(b);
        Address in = new Address.Unix(folder.resolve("src.sock"));
        relayA = keep(Relay.start(in, b.address(), FaultPlan.NONE, event -> relays.add("(a)", event)));
    }

    /** These are the ends from now on, and are asked how they are. */
    final void begin(End from, End to) throws IOException {
        source = from;
        destination = to;
        sampler = keep(new Sampler(board, List.of(from, to)));
    }

    /** Ends both ends' processes by QMP; each must end with exit code 0, within the patience. */
    final void quit(List<Child> both, Duration patience) throws DemoFailed, IOException {
        there(sampler).close();
        both.forEach(crew::retire);
        List<End> ends = List.of(source(), destination());
        for (End end : ends) {
            end.order("quit");
        }
        for (Child child : both) {
            int code = child.exit()
                    .completeOnTimeout(-1, patience.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
            if (code != 0) {
                throw new DemoFailed("the " + child.name() + "'s process " + child.pid()
                        + " did not end by quit: exit code " + code);
            }
        }
        ends.forEach(End::close);
    }

    /**
     * It is closed with this.
     *
     * @throws IOException with a sentence, when this is closed
     */
    final synchronized <T extends AutoCloseable> T keep(T thing) throws IOException {
        open.add(thing);
        requireOpen();
        return thing;
    }

    final synchronized void requireOpen() throws IOException {
        if (closed) {
            throw new IOException("the demo is being ended");
        }
    }

    static <T> T there(@Nullable T thing) {
        if (thing == null) {
            throw new IllegalStateException("the lab was not started");
        }
        return thing;
    }

    @Override
    public final End source() {
        return there(source);
    }

    @Override
    public final End destination() {
        return there(destination);
    }

    @Override
    public final Relay relayA() {
        return there(relayA);
    }

    @Override
    public final Relay relayB() {
        return there(relayB);
    }

    @Override
    public final Address sourceAddress() {
        return relayA().address();
    }

    @Override
    public final Address destinationAddress() {
        return new Address.Unix(folder.resolve("dst.sock"));
    }

    @Override
    public final void orderBoth(String command, JsonObject arguments) throws DemoFailed {
        board.add(new Happening.Order(null, End.words(command, arguments, folder)));
        source().ask(command, arguments);
        destination().ask(command, arguments);
    }

    /** Which process has ended, or does so now, that is needed, as a sentence; null if there is none. */
    final @Nullable String dead() {
        return crew.dead();
    }

    /** What the processes and the relays said last. */
    final List<String> tails(int most) {
        List<String> all = crew.tails(most);
        all.add("--- the relays said last:");
        all.addAll(relays.tail(most));
        return all;
    }

    /** The folder goes, after all that used it has ended. */
    abstract void removeFolder();

    /** Ends everything, whatever state it is in, and removes the folder. */
    @Override
    public final void close() {
        List<AutoCloseable> things;
        synchronized (this) {
            closed = true;
            things = List.copyOf(open).reversed();
            open.clear();
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
        removeFolder();
    }

    /** For a command's arguments. */
    static JsonObject with(String name, Json value) {
        return JsonObject.builder().put(name, value).build();
    }
}
