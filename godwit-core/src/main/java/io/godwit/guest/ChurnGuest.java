// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.memory.Backing;
import io.godwit.memory.GuestMemory;
import io.godwit.page.BlockInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A guest that writes all the time, in a way that shows every stale, lost, torn, doubled or misplaced page.
 *
 * <p>Its pages say where they belong, which sweep of which writer they are, and all their bytes follow from that (see {@link ChurnPages}). Each writer owns pages of its own and walks them in a
 * scattered order; before it writes sweep n into a page it reads the page and must find sweep n-1 to the last bit. So damage shows the moment the running guest touches it. At any stop a
 * writer's pages hold n before its position and n-1 after it, and the position travels as device state; {@link #verify} compares every page. Cold pages are written once, zero pages never.
 *
 * <p>Three RAM blocks: {@code churn.ram} of the given size, {@code churn.vram} (1 MiB, hot and cold too) and {@code churn.rom} (256 KiB, cold). Thread-safe.
 */
public final class ChurnGuest implements Guest {
    /** The machine's name in the stream. */
    public static final String MACHINE = "godwit-churn";

    private final GuestMemory memory;
    private final long size;
    private final DamageLog damages = new DamageLog();
    private final LongAdder pagesRead = new LongAdder();
    private final GuestThreads threads;
    private volatile @Nullable ChurnSetup setup;

    private ChurnGuest(long size, GuestMemory memory) {
        this.size = size;
        this.memory = memory;
        this.threads = new GuestThreads(this::bodies, memory::allowWaiting, memory::stopWaiting);
    }

    /**
     * A new guest, its memory written, ready to start. Takes about a second per GiB.
     *
     * @throws IOException if the memory cannot be had, with a sentence
     */
    public static ChurnGuest create(ChurnOptions options, Backing backing) throws IOException {
        ChurnGuest guest = new ChurnGuest(options.size(), GuestMemory.allocate(blocks(options.size()), backing));
        List<ChurnWriter.State> states = IntStream.range(0, options.writers())
                .mapToObj(ChurnWriter.State::first)
                .toList();
        ChurnSetup setup = guest.configure(new ChurnDevices(options, 0, states));
        try {
            ChurnFill.fill(guest.memory, setup.layout(), setup.pages());
            return guest;
        } catch (RuntimeException | Error e) {
            guest.memory.close();
            throw e;
        }
    }

    /**
     * A guest that waits for its memory and, by {@link #loadDevices}, for everything else about it.
     *
     * @param size bytes of {@code churn.ram}, as at the source
     */
    public static ChurnGuest incoming(long size, Backing backing) throws IOException {
        return new ChurnGuest(
                size, GuestMemory.allocate(blocks(ChurnOptions.of(size).size()), backing));
    }

    /** The RAM blocks of a guest of that size. */
    public static List<BlockInfo> blocks(long size) {
        return ChurnLayout.blocks(size);
    }

    @Override
    public String machine() {
        return MACHINE;
    }

    @Override
    public GuestMemory memory() {
        return memory;
    }

    /** @throws IllegalStateException if no device state has come yet */
    public ChurnOptions options() {
        return configured().options();
    }

    @Override
    public void start() {
        configured();
        threads.start();
    }

    @Override
    public void stop(Runnable stopped) {
        threads.stop(stopped);
    }

    @Override
    public boolean isRunning() {
        return threads.isRunning();
    }

    @Override
    public List<DeviceSection> saveDevices() {
        requireStopped("save the state of");
        ChurnSetup known = configured();
        List<ChurnWriter.State> states =
                known.writers().stream().map(ChurnWriter::state).toList();
        return new ChurnDevices(known.options(), known.damagesBefore() + damages.count(), states).toSections();
    }

    @Override
    public void loadDevices(List<DeviceSection> sections) {
        requireStopped("load the state of");
        ChurnDevices devices = ChurnDevices.fromSections(sections);
        if (devices.options().size() != size) {
            throw new IllegalArgumentException(
                    "the guest that comes has " + devices.options().size()
                            + " bytes of RAM, but this one was made with " + size + "; give both sides the same size");
        }
        configure(devices);
    }

    private ChurnSetup configure(ChurnDevices devices) {
        ChurnOptions options = devices.options();
        ChurnLayout layout = new ChurnLayout(options);
        ChurnPages pages = new ChurnPages(options.seed(), options.payloadBytes());
        List<ChurnWriter> writers = devices.writers().stream()
                .map(state -> new ChurnWriter(memory, layout, pages, damages, state))
                .toList();
        ChurnSetup made = new ChurnSetup(options, layout, pages, writers, devices.damages());
        setup = made;
        return made;
    }

    private List<GuestThreads.Body> bodies() {
        ChurnSetup known = configured();
        ChurnOptions options = known.options();
        List<GuestThreads.Body> bodies = new ArrayList<>();
        for (int i = 0; i < options.writers(); i++) {
            ChurnWriter writer = known.writers().get(i);
            long rate = Pace.share(options.writeRate(), i, options.writers());
            bodies.add(body("churn-writer-" + i, () -> writer.run(threads.stopping(), new Pace(rate))));
        }
        for (int i = 0; i < options.readers(); i++) {
            ChurnReader reader = new ChurnReader(memory, known.layout(), known.pages(), damages, pagesRead, i);
            long rate = Pace.share(options.readRate(), i, options.readers());
            bodies.add(body("churn-reader-" + i, () -> reader.run(threads.stopping(), new Pace(rate))));
        }
        return bodies;
    }

    /** A thread of the guest that fails is a damage like any other: it is told, and the others go on. */
    private GuestThreads.Body body(String name, Runnable work) {
        return new GuestThreads.Body(name, () -> {
            try {
                work.run();
            } catch (RuntimeException | Error e) {
                damages.add(Damage.internal(name, e));
            }
        });
    }

    /** What the guest has done so far; any time, also while it runs. Before the device state came: nothing. */
    public ChurnStats stats() {
        ChurnSetup known = setup;
        if (known == null) {
            return new ChurnStats(0, 0, 0, List.of());
        }
        List<ChurnStats.Writer> writers = known.writers().stream()
                .map(ChurnWriter::state)
                .map(state -> new ChurnStats.Writer(state.writer(), state.written(), state.sweep(), state.position()))
                .toList();
        long written = writers.stream().mapToLong(ChurnStats.Writer::pages).sum();
        return new ChurnStats(written, pagesRead.sum(), known.damagesBefore() + damages.count(), writers);
    }

    /** The first damage that the guest met here while it ran, or null. */
    public @Nullable Damage firstDamage() {
        return damages.first();
    }

    /** Compares every page of the stopped guest with what was written last. About half a second per GiB. */
    public Verification verify() {
        requireStopped("verify");
        ChurnSetup known = configured();
        DamageLog found = new DamageLog();
        ChurnFill.inParallel(
                known.layout().indexes(), (from, to) -> new ChurnVerifier(memory, known, found).pages(from, to));
        return new Verification(
                known.layout().indexes(),
                found.count(),
                found.kept(),
                known.damagesBefore() + damages.count(),
                damages.kept());
    }

    private ChurnSetup configured() {
        ChurnSetup known = setup;
        if (known == null) {
            throw new IllegalStateException("this guest waits for its device state");
        }
        return known;
    }

    private void requireStopped(String what) {
        if (!threads.isStopped()) {
            throw new IllegalStateException("cannot " + what + " a running guest: stop it first");
        }
    }

    @Override
    public void close() {
        threads.close();
    }
}
