// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import io.godwit.net.Address;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Each end by itself, as where the other one has a machine of its own: a source whose stream is thrown away, and a destination that gets a recorded one out of the page cache. A migration between two machines
 * is as fast as the slower of its ends; on one machine both want the same processors. No return path: nobody answers.
 */
final class Alone {
    private static final String QEMU = "QEMU";
    private static final String GODWIT = "unpark, park";
    private static final String SENDS = "sends, MB/s";
    private static final String SENDER = "sender CPU s/GiB";
    private static final String TAKES = "takes, MB/s";
    private static final String HAS = "has all of it, MB/s";
    private static final String RECEIVER = "receiver CPU s/GiB";
    private static final int CHUNK = 1 << 20;

    private final Rig rig;
    private final long memory;
    private final Noise noise;
    private final Path recorded;
    private final Path parked;
    private final Path arriving;
    private final Sheet sheet = new Sheet(QEMU, GODWIT);

    Alone(Rig rig, long memory) throws IOException {
        this.rig = rig;
        this.memory = memory;
        this.noise = rig.noise(memory);
        this.recorded = rig.file("alone.stream");
        this.parked = rig.store("alone");
        this.arriving = rig.store("alone-arriving");
    }

    /** The four in turn, so that what else the machine does hits all of them. */
    Sheet measure(int runs) throws IOException, BenchFailed {
        try (Vm source = rig.running(memory, noise)) {
            rig.park(source, noise, parked).close();
            source.goOn();
            source.capabilities("events");
            drained(source, recorded);
            for (int run = 1; run <= runs; run++) {
                rig.progress("alone " + run + "/" + runs);
                Usage before = source.usage();
                sheet.add(SENDS, QEMU, noise.bytes() / (double) drained(source, null));
                sheet.add(SENDER, QEMU, source.usage().since(before) / noise.gib());
                unparkSends();
                qemuReceives();
                parkReceives();
            }
        } finally {
            Rig.remove(recorded);
            Rig.remove(parked);
            Rig.remove(arriving);
        }
        return sheet;
    }

    /** A stream of the source's; what it took, in microseconds. */
    private long drained(Vm source, @Nullable Path file) throws IOException, BenchFailed {
        source.log().clear();
        try (Drain drain = rig.drain(file)) {
            source.order("migrate", drain.address().toString());
            source.log().await("completed");
            long micros = drain.await(noise.bytes());
            source.goOn();
            return micros;
        }
    }

    private void unparkSends() throws IOException, BenchFailed {
        try (Drain drain = rig.drain(null);
                GodwitProcess unpark = rig.unpark(
                        noise,
                        parked,
                        drain.address().toString(),
                        "--mode",
                        "precopy",
                        "--set-capability",
                        "return-path=off",
                        "--set-parameter",
                        "max-bandwidth=0")) {
            sheet.add(SENDS, GODWIT, noise.bytes() / (double) drain.await(noise.bytes()));
            unpark.awaitSuccess();
            sheet.add(SENDER, GODWIT, unpark.usage().since(unpark.atReady()) / noise.gib());
        }
    }

    private void qemuReceives() throws IOException, BenchFailed {
        try (Vm destination = rig.waiting(memory)) {
            destination.capabilities("events");
            Address at = Address.parse(rig.listen(destination));
            rig.warm(noise.bytes()).close();
            Usage before = destination.usage();
            long began = EventLog.now();
            feed(at);
            sheet.add(TAKES, QEMU, rate(began, EventLog.now()));
            sheet.add(HAS, QEMU, rate(began, destination.log().await("RESUME")));
            sheet.add(RECEIVER, QEMU, destination.usage().since(before) / noise.gib());
            noise.verify(destination);
        }
    }

    private void parkReceives() throws IOException, BenchFailed {
        try (GodwitProcess park = rig.parkUnsafe(noise, arriving)) {
            long began = EventLog.now();
            feed(park.incoming());
            sheet.add(TAKES, GODWIT, rate(began, EventLog.now()));
            sheet.add(HAS, GODWIT, rate(began, park.log().await("completed")));
            park.log().await("outcome");
            sheet.add(RECEIVER, GODWIT, park.usage().since(park.atReady()) / noise.gib());
        }
        noise.verifyParked(arriving);
        Rig.remove(arriving);
    }

    private double rate(long from, long to) {
        return noise.bytes() / (double) Math.max(1, to - from);
    }

    /** Returns when the other end's system has all of it. */
    private void feed(Address to) throws IOException {
        try (FileChannel file = FileChannel.open(recorded);
                SocketChannel peer = SocketChannel.open(Listening.socket(to))) {
            ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
            while (file.read(chunk) >= 0) {
                chunk.flip();
                while (chunk.hasRemaining()) {
                    peer.write(chunk);
                }
                chunk.clear();
            }
        }
    }
}
