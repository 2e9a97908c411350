// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Happening;
import io.godwit.app.lab.Side;
import io.godwit.net.Address;
import io.godwit.net.Fault.Direction;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/**
 * The two ends are in network namespaces of their own, joined by a veth pair. What is done to them is done to packets, or to the link: nobody is told unless the kernel tells him.
 *
 * <pre>
 *   source, 192.0.2.1 ─ veth ═══════ veth ─ 192.0.2.2, destination
 * </pre>
 *
 * All of it is iproute2's: packets are dropped by a filter where they arrive, after they have crossed the link, so that their sender's kernel knows no more of it than it would of a wire.
 * {@link #close} may be called from any thread, the rest is for one.
 */
final class PacketNetwork implements Network, AutoCloseable {
    private static final int PORT = 4444;

    /** Of a hundred: most recoveries have a packet or two among these, which TCP sends again 200 ms later at the earliest. */
    private static final int DRAG_LOSS = 25;

    /** A send buffer (least, usual, most; bytes) that a slow link empties soon: what waits in it delays what is urgent, and a relay has no more. */
    private static final String SEND_BUFFER = "4096 65536 131072";

    private static final long ALL = 0xffff_ffffL;

    private final Board board;
    private final Namespace source;
    private final Namespace destination;
    private long pace;

    private PacketNetwork(Board board, Namespace source, Namespace destination) {
        this.board = board;
        this.source = source;
        this.destination = destination;
    }

    /** Makes it. */
    static PacketNetwork open(Board board) throws IOException {
        Namespace source = Namespace.open();
        try {
            Namespace destination = source.another();
            try {
                PacketNetwork made = new PacketNetwork(board, source, destination);
                made.join();
                return made;
            } catch (IOException e) {
                destination.close();
                throw e;
            }
        } catch (IOException e) {
            source.close();
            throw e;
        }
    }

    /**
     * Tries everything that will be needed, and leaves nothing.
     *
     * @throws IOException if this machine has not got it
     */
    static void check() throws IOException {
        try (PacketNetwork network = open(new Board(System::nanoTime, Set.of()))) {
            network.drag();
            network.narrow(1_000);
            network.clear();
        }
    }

    private void join() throws IOException {
        source.run("ip link add dev veth type veth peer name veth netns " + destination.pid());
        for (Side side : Side.values()) {
            at(side).run("ip address add " + host(side) + "/24 dev veth");
            at(side).run("ip link set dev veth up");
            at(side).run("tc qdisc add dev veth clsact");
            at(side).run("echo " + SEND_BUFFER + " > /proc/sys/net/ipv4/tcp_wmem");
        }
    }

    private Namespace at(Side side) {
        return switch (side) {
            case SOURCE -> source;
            case DESTINATION -> destination;
        };
    }

    private static String host(Side side) {
        return switch (side) {
            case SOURCE -> "192.0.2.1";
            case DESTINATION -> "192.0.2.2";
        };
    }

    private static Side receiver(Direction direction) {
        return switch (direction) {
            case FORWARD -> Side.DESTINATION;
            case BACK -> Side.SOURCE;
        };
    }

    /** Where the destination listens, and the source connects to. */
    Address address() {
        return new Address.Tcp(host(Side.DESTINATION), PORT);
    }

    @Override
    public List<String> launcher(Side side) {
        return at(side).launcher();
    }

    @Override
    public void cut() throws IOException {
        reset(Side.SOURCE);
    }

    /**
     * That end's kernel gives up all its connections: its process gets an error, the other end a RST, if it gets through.
     *
     * @return whether there was one
     */
    boolean reset(Side side) throws IOException {
        note("resets the " + side + "'s connections");
        String those = "-H -n -t state established dst " + host(side == Side.SOURCE ? Side.DESTINATION : Side.SOURCE);
        String reset = at(side).run("ss -K " + those);
        // It passes over what a kernel cannot reset, without a word.
        if (!at(side).run("ss " + those).isEmpty()) {
            throw new IOException("this kernel resets no connections for 'ss -K' (CONFIG_INET_DIAG_DESTROY)");
        }
        return !reset.isEmpty();
    }

    @Override
    public void silence(Direction direction) throws IOException {
        lose(direction, 100);
    }

    /** So many packets of a hundred vanish, at random. */
    void lose(Direction direction, int percent) throws IOException {
        note("loses " + percent + " % of the packets " + direction);
        // A program of classic BPF: a random number; if it is not below this one, the packet goes on (-1), else it is
        // dropped (2).
        String program = "4,32 0 0 4294963256,53 1 0 " + ALL * percent / 100 + ",6 0 0 2,6 0 0 4294967295";
        at(receiver(direction))
                .run("tc filter replace dev veth ingress pref 1 handle 1 bpf da bytecode '" + program + "'");
    }

    @Override
    public void drag() throws IOException {
        lose(Direction.FORWARD, DRAG_LOSS);
        lose(Direction.BACK, DRAG_LOSS);
    }

    /** So many kbit pass in a second, each way; the queue before it holds 300 ms of them, and drops what is more. */
    void narrow(int kilobits) throws IOException {
        note("lets " + kilobits + " kbit/s pass");
        for (Side side : Side.values()) {
            shape(side, "tbf rate " + kilobits + "kbit burst 8kb latency 300ms");
        }
    }

    /** What waits in the queue that was there is dropped: a packet larger than the new one's burst would stand before it for ever. */
    private void shape(Side side, String queue) throws IOException {
        at(side).run("tc qdisc replace dev veth root noqueue");
        at(side).run("tc qdisc replace dev veth root " + queue);
    }

    /** That end has no link any more; the other's has no carrier. */
    void down(Side side) throws IOException {
        note("the " + side + "'s link is down");
        at(side).run("ip link set dev veth down");
    }

    @Override
    public void pace(long bytes) throws IOException {
        pace = bytes;
        clear();
    }

    @Override
    public void clear() throws IOException {
        note("is as it was");
        for (Side side : Side.values()) {
            at(side).run("ip link set dev veth up");
            at(side).run("tc filter delete dev veth ingress");
            shape(side, pace > 0 ? "tbf rate " + pace * Byte.SIZE + "bit burst 64kb latency 100ms" : "noqueue");
        }
    }

    /** TCP sends again what was lost, so connections are whole. */
    @Override
    public boolean heal() throws IOException {
        clear();
        return false;
    }

    private void note(String what) {
        board.add(new Happening.Network("the network", what));
    }

    /** The pair goes with its namespaces. */
    @Override
    public void close() {
        destination.close();
        source.close();
    }
}
