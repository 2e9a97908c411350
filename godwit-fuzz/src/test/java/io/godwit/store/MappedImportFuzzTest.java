// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Budget;
import io.godwit.fuzz.Pieces;
import io.godwit.fuzz.ShortReads;
import io.godwit.page.Pages;
import io.godwit.sim.SimDisk;
import io.godwit.wire.MappedRamWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A mapped-ram file on its way into a store. The first byte of an input is how much a read gives at most, the rest is the file. It is refused with {@link StoreException.Kind#CORRUPT}, or the
 * VM is parked whole and goes out into a file that is imported as the same VM.
 */
class MappedImportFuzzTest {
    private static final Path FOLDER = Path.of("/vm");
    /** What a store takes for its device file in advance, in the simulated disk's hands, twice over; and the buffers of a reader. */
    private static final long FIXED_HEAP = 16 << 20;
    /** A file is never longer; so no input makes one longer. */
    private static final int LONGEST = 64 << 20;

    @FuzzTest
    void mappedImport(byte[] input) {
        byte[] file = Pieces.rest(input, 1);
        int most = 1 + Pieces.control(input, 0) * 16;
        Budget.holds(file.length, FIXED_HEAP, _ -> told(file, Integer.MAX_VALUE));
        String whole = told(file, Integer.MAX_VALUE);
        String pieces = told(file, most);
        if (!whole.equals(pieces)) {
            throw new AssertionError("in pieces " + pieces + "\nat once " + whole);
        }
        VmStore store = imported(file, most);
        if (store != null) {
            againTheSame(store);
        }
    }

    /** What became of it, in words. */
    private static String told(byte[] file, int most) {
        VmStore store = store();
        String refused = load(file, most, store);
        return refused == null ? vm(store) : refused;
    }

    private static @Nullable VmStore imported(byte[] file, int most) {
        VmStore store = store();
        return load(file, most, store) == null ? store : null;
    }

    private static VmStore store() {
        return VmStore.open(
                new SimDisk(new Random(1)), FOLDER, InstantSource.fixed(Instant.parse("2030-01-01T00:00:00Z")), "fuzz");
    }

    /** Why it was refused, or null. */
    private static @Nullable String load(byte[] file, int most, VmStore store) {
        List<Long> progress = new ArrayList<>();
        try {
            MappedImport.read(
                    (position, into) -> ShortReads.part(file, position, into, most), 0, store, true, progress::add);
        } catch (StoreException e) {
            if (e.kind() != StoreException.Kind.CORRUPT) {
                throw e;
            }
            Manifest manifest = store.manifest();
            if (manifest != null && !(manifest.state() instanceof StoreState.Receiving)) {
                throw new AssertionError("refused, and the store is in " + manifest.state(), e);
            }
            return String.valueOf(e.getMessage());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (progress.stream().anyMatch(at -> at < 0 || at > file.length)) {
            throw new AssertionError("read up to " + progress + " of " + file.length + " bytes");
        }
        return null;
    }

    /** Everything that counts of a parked VM. */
    private static String vm(VmStore store) {
        Manifest manifest = Objects.requireNonNull(store.manifest());
        if (!(manifest.state() instanceof StoreState.Parked)) {
            throw new AssertionError("imported, and the store is in " + manifest.state());
        }
        StringBuilder text = new StringBuilder(manifest.arrival() + " " + store.devices());
        text.append(Arrays.hashCode(store.devices().early()))
                .append(' ')
                .append(Arrays.hashCode(store.devices().late()));
        try (StoreSource source = store.source()) {
            ByteBuffer page = ByteBuffer.allocate(Pages.SIZE);
            for (int block = 0; block < source.blocks().size(); block++) {
                for (long i = 0; i < source.blocks().get(block).pages(); i++) {
                    source.read(block, i, page.clear());
                    text.append(' ').append(page.flip().hashCode());
                }
            }
        }
        return text.toString();
    }

    private static void againTheSame(VmStore store) {
        Out out = new Out();
        try (StoreSource source = store.source()) {
            MappedExport.write(Objects.requireNonNull(store.manifest()), store.devices(), source, out, _ -> {});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        byte[] exported = out.file();
        if (exported.length > LONGEST) {
            return;
        }
        VmStore again = store();
        String refused = load(exported, Integer.MAX_VALUE, again);
        if (refused != null || !parts(vm(again)).equals(parts(vm(store)))) {
            throw new AssertionError(refused + ": " + vm(store) + " is exported as " + vm(again));
        }
    }

    /** An export names no UUID, and describes devices that nobody has described. */
    private static String parts(String vm) {
        return vm.replaceAll("uuid=[^,\\]]*", "").replace(", described]", "]");
    }

    /** A file that is written anywhere. */
    private static final class Out implements MappedRamWriter.Target {
        private byte[] bytes = new byte[1 << 16];
        private int size;

        @Override
        public void write(long position, ByteBuffer from) {
            int end = Math.toIntExact(position + from.remaining());
            size = Math.max(size, end);
            if (end <= LONGEST) {
                bytes = Arrays.copyOf(bytes, Math.max(bytes.length, end));
                from.get(bytes, (int) position, from.remaining());
            }
        }

        byte[] file() {
            return size > LONGEST ? new byte[LONGEST + 1] : Arrays.copyOf(bytes, size);
        }
    }
}
