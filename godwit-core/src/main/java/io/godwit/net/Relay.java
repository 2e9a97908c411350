// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Copies bytes between those who connect to it and a target, and misbehaves on demand: a network whose every fault can
 * be ordered, at an exact byte. For each connection that it accepts it makes one to the target; the end of a direction
 * is passed on, and so is the loss of a peer.
 *
 * <p>One thread of its own does all the copying. Every method may be called from any thread and returns when what it
 * asks for has been done: after {@link #kill()} a connect is refused. What happens is told on the relay's thread, which
 * must not be held up there; calling the relay back from there is fine.
 */
public final class Relay implements AutoCloseable {

    /** What is on its way in one direction of one connection at most: 1 MiB, besides the kernel's buffers. */
    public static final int BUFFER_BYTES = 1 << 20;

    private final Reactor reactor;
    private final RelayCore core;
    private final Thread thread;
    private final ConcurrentLinkedQueue<Runnable> commands = new ConcurrentLinkedQueue<>();
    private final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();
    private boolean closing;

    private Relay(Address listen, Address target, Consumer<RelayEvent> listener) throws IOException {
        this.reactor = new Reactor();
        this.core = new RelayCore(reactor, listen, target, listener);
        this.thread = Thread.ofPlatform().daemon().name("godwit-relay").unstarted(this::run);
    }

    /** Starts a relay without a fault that tells nobody anything. */
    public static Relay start(Address listen, Address target) throws IOException {
        return start(listen, target, FaultPlan.NONE, _ -> {});
    }

    /**
     * Starts a relay.
     *
     * @param listener told everything that happens, on the relay's thread
     * @throws IOException with a sentence, if it cannot listen
     */
    public static Relay start(Address listen, Address target, FaultPlan plan, Consumer<RelayEvent> listener)
            throws IOException {
        Relay relay = new Relay(listen, target, listener);
        relay.thread.start();
        try {
            relay.setFault(plan);
        } catch (IOException failed) {
            relay.close();
            throw failed;
        }
        return relay;
    }

    /** Where it listens, or did before it was killed: the real port in place of 0. */
    public Address address() {
        return core.address();
    }

    public Address target() {
        return core.target();
    }

    /** The faults now; a cut that has happened is no longer among them. */
    public FaultPlan fault() {
        return core.plan();
    }

    public RelayStats stats() {
        return core.stats();
    }

    /**
     * Misbehaves in this way from now on, and no longer in another; also towards those who are connected. Connections
     * of which something was swallowed are cut as soon as they are no longer swallowed: a stream never goes on behind a
     * hole.
     *
     * @throws IOException with a sentence, if it should listen again and cannot
     */
    public void setFault(FaultPlan plan) throws IOException {
        tell(() -> core.setPlan(plan));
    }

    /** Breaks all connections now, as a network that is gone: what is on its way is lost, tcp peers are reset. */
    public void cut() {
        tellSurely(() -> core.cut("on command"));
    }

    /** Stops to listen and breaks all connections, as if the relay's process had died. */
    public void kill() {
        tellSurely(() -> {
            core.listen(false);
            core.cut("killed");
        });
    }

    /**
     * Listens again where it did, after {@link #kill()}; the faults stay as they are.
     *
     * @throws IOException with a sentence, if it cannot listen
     */
    public void revive() throws IOException {
        tell(() -> core.listen(true));
    }

    /** Stops everything, removes the file of a unix socket and waits for the relay's thread. Again does nothing. */
    @Override
    public void close() {
        commands.add(() -> closing = true);
        reactor.wakeup();
        if (Thread.currentThread() != thread) {
            ended.exceptionally(_ -> null).join();
        }
    }

    /** Completes when it was closed; exceptionally, if its thread ended by a defect. */
    public CompletionStage<@Nullable Void> ended() {
        return ended.minimalCompletionStage();
    }

    /** Something for the relay's thread to do that may fail to listen. */
    private interface Command {
        void run() throws IOException;
    }

    private void tell(Command command) throws IOException {
        if (Thread.currentThread() == thread) {
            command.run();
            return;
        }
        CompletableFuture<@Nullable IOException> done = new CompletableFuture<>();
        commands.add(() -> {
            try {
                command.run();
                done.complete(null);
            } catch (IOException failed) {
                done.complete(failed);
            }
        });
        reactor.wakeup();
        CompletableFuture.anyOf(done, ended).join();
        @Nullable IOException failed = done.getNow(null);
        if (failed != null) {
            throw failed;
        }
    }

    private void tellSurely(Command command) {
        try {
            tell(command);
        } catch (IOException impossible) {
            throw new UncheckedIOException("a command that opens nothing cannot fail so", impossible);
        }
    }

    private void run() {
        try {
            while (!closing) {
                reactor.poll(core.untilNextMove(), core);
                for (Runnable command = commands.poll(); command != null; command = commands.poll()) {
                    command.run();
                }
                core.pumpDue();
            }
            reactor.close();
            ended.complete(null);
        } catch (RuntimeException | Error defect) {
            ended.completeExceptionally(defect);
            reactor.close();
            throw defect;
        }
    }
}
