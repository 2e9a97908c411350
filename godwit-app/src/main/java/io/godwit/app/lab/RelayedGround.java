// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.lab;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.net.RelayEvent;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What every scenario has: a folder for its sockets, which nobody else has, two relays in a row (unless it has another network), the processes, and what is to be closed in the end.
 *
 * <p>{@link #close} may be called from any thread, the rest is for one.
 */
public abstract class RelayedGround implements AutoCloseable {
    protected final Board board;
    protected final Path folder;
    protected final Crew crew;
    private final RelayLog relays;
    private final List<AutoCloseable> open = new ArrayList<>();
    private boolean closed;

    private @Nullable Relay relayA;
    private @Nullable Relay relayB;

    /** @param prefix of the folder's name */
    protected RelayedGround(String prefix, Board board) {
        this.board = board;
        this.crew = new Crew(board);
        this.relays = new RelayLog(board);
        byte[] random = new byte[6];
        new SecureRandom().nextBytes(random);
        folder = Path.of(
                System.getProperty("java.io.tmpdir"), prefix + HexFormat.of().formatHex(random));
    }

    /** Something happened at a relay; called by its thread. */
    protected void seen(String relay, RelayEvent event) {
        relays.add(relay, event);
    }

    /** @throws IOException with a sentence, if a socket with the longest of the names cannot be there */
    protected final void requireShortPath(String longest) throws IOException {
        try {
            new Address.Unix(folder.resolve(longest));
        } catch (IllegalArgumentException e) {
            throw new IOException("the folder for temporary files is too deep for sockets: " + e.getMessage(), e);
        }
    }

    /**
     * Starts a {@code godwit run} with its QMP at that socket; it is needed, and is part of the folder's household.
     *
     * @param launcher what stands before its command; may be empty
     * @param more of its command line
     */
    protected final Child endpoint(String name, List<String> launcher, String qmp, List<String> more)
            throws IOException {
        List<String> words = new ArrayList<>(List.of("run", "--json", "--die-with-parent"));
        words.addAll(List.of(
                "--private-folder", folder.toString(), "--qmp", socket(qmp).toString()));
        words.addAll(more);
        Child child = crew.add(() -> Child.start(name, launcher, words));
        crew.need(child);
        return child;
    }

    /** For {@link #endpoint}: a churn guest's threads, how fast they write and read (pages per second), and the shares of pages in percent. */
    protected static List<String> churn(
            int writers, long rate, int readers, long readRate, int hot, int cold, long seed) {
        List<String> words = new ArrayList<>();
        words.addAll(List.of("--writers", "" + writers, "--rate", "" + rate));
        words.addAll(List.of("--readers", "" + readers, "--read-rate", "" + readRate));
        words.addAll(List.of("--hot", "" + hot, "--cold", "" + cold, "--seed", "" + seed));
        return words;
    }

    /** A socket in the folder. */
    protected final Address socket(String name) {
        return new Address.Unix(folder.resolve(name));
    }

    /** The path between the ends; the folder is there. */
    protected final void startRelays() throws IOException {
        Relay b = Relay.start(
                new Address.Tcp("127.0.0.1", 0), destinationAddress(), FaultPlan.NONE, event -> seen("(b)", event));
        relayB = keep(b);
        Address in = new Address.Unix(folder.resolve("src.sock"));
        relayA = keep(Relay.start(in, b.address(), FaultPlan.NONE, event -> seen("(a)", event)));
    }

    /**
     * It is closed with this.
     *
     * @throws IOException with a sentence, when this is closed
     */
    protected final synchronized <T extends AutoCloseable> T keep(T thing) throws IOException {
        open.add(thing);
        requireOpen();
        return thing;
    }

    protected final synchronized void requireOpen() throws IOException {
        if (closed) {
            throw new IOException("this run is being ended");
        }
    }

    protected static <T> T there(@Nullable T thing) {
        if (thing == null) {
            throw new IllegalStateException("the lab was not started");
        }
        return thing;
    }

    /** The relay next to the source. */
    public final Relay relayA() {
        return there(relayA);
    }

    /** The relay next to the destination. */
    public final Relay relayB() {
        return there(relayB);
    }

    /** Where the source connects to. */
    public Address sourceAddress() {
        return relayA().address();
    }

    /** Where the destination listens. */
    public Address destinationAddress() {
        return new Address.Unix(folder.resolve("dst.sock"));
    }

    /** Which process has ended, or does so now, that is needed, as a sentence; null if there is none. */
    public final @Nullable String dead() {
        return crew.dead();
    }

    /** What the processes and the relays said last. */
    public final List<String> tails(int most) {
        List<String> all = crew.tails(most);
        all.add("--- the relays said last:");
        all.addAll(relays.tail(most));
        return all;
    }

    /** The folder goes, after all that used it has ended. */
    protected abstract void removeFolder();

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
                throw new IllegalStateException("a part of this run could not be closed", e);
            }
        }
        crew.awaitEnd();
        removeFolder();
    }

    /** For a command's arguments. */
    public static JsonObject with(String name, Json value) {
        return JsonObject.builder().put(name, value).build();
    }
}
