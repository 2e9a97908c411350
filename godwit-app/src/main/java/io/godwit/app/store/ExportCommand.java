// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import io.godwit.app.term.ExitCodes;
import io.godwit.app.term.Progress;
import io.godwit.page.BlockTable;
import io.godwit.store.Manifest;
import io.godwit.store.MappedExport;
import io.godwit.store.RawExport;
import io.godwit.store.StoreSource;
import io.godwit.store.StreamExport;
import io.godwit.store.VmStore;
import io.godwit.sys.ByteSizes;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code godwit store export}. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Copies a complete VM out of the store: its memory as a flat file, or all of it for QEMU, as a stream or as a file with mapped-ram.",
            "Every page is compared with its digest on the way. The VM stays in the store; whoever runs the copy has a second one of it."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  godwit store export web1 --raw web1.mem",
            "  godwit store export web1 --stream web1.qemu",
            "  qemu-system-x86_64 ... -incoming \"exec:cat web1.qemu\"",
            "  godwit store export web1 --mapped-ram web1.mapped",
            "  qemu-system-x86_64 ... -incoming defer        (9.0 or newer; then at its QMP)",
            "      migrate-set-capabilities {\"capabilities\": [{\"capability\": \"mapped-ram\", \"state\": true}]}",
            "      migrate-incoming {\"uri\": \"file:web1.mapped\"}"
        })
final class ExportCommand implements Callable<Integer> {
    @Mixin
    private Vms vms;

    @Parameters(paramLabel = "VM", description = "A name below the root, or a path.")
    private String vm;

    @ArgGroup(multiplicity = "1")
    private Form form;

    @Option(names = "--block", paramLabel = "NAME", description = "Which memory for --raw (default: the largest one).")
    private @Nullable String block;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    ExportCommand() {}

    /** One of the three. */
    static final class Form {
        @Option(names = "--raw", paramLabel = "FILE", required = true, description = "Physical memory, sparse.")
        private @Nullable Path raw;

        @Option(
                names = "--stream",
                paramLabel = "FILE",
                required = true,
                description = "QEMU's migration stream; '-' for standard output.")
        private @Nullable Path stream;

        @Option(
                names = "--mapped-ram",
                paramLabel = "FILE",
                required = true,
                description = "QEMU's migration file with capability mapped-ram: each page in its place, sparse.")
        private @Nullable Path mapped;
    }

    @Override
    public Integer call() {
        return vms.guarded(() -> {
            try (VmStore store = vms.open(vm);
                    StoreSource source = store.source()) {
                Path raw = form.raw;
                Path mapped = form.mapped;
                return raw != null
                        ? raw(source, raw)
                        : mapped != null
                                ? mapped(store, source, mapped)
                                : stream(store, source, Objects.requireNonNull(form.stream));
            }
        });
    }

    private int raw(StoreSource source, Path to) throws IOException {
        BlockTable table = source.blocks();
        int index = block == null ? RawExport.mainBlock(table) : table.indexOf(block);
        if (index < 0) {
            return vms.failed(
                    "the VM has no memory named '" + block + "'; 'godwit store show' lists its blocks",
                    ExitCodes.FAILED);
        }
        Progress progress = vms.progress("exporting", table.get(index).pages());
        replacing(to, part -> RawExport.write(source, index, vms.disk(), part, done -> Vms.pages(progress, done)));
        vms.out()
                .println(to + ": " + table.get(index).name() + ", "
                        + ByteSizes.show(table.get(index).usedLength()));
        return 0;
    }

    private int stream(VmStore store, StoreSource source, Path to) throws IOException {
        Manifest manifest = Objects.requireNonNull(store.manifest());
        long pages = source.blocks().list().stream().mapToLong(b -> b.pages()).sum();
        Progress progress = vms.progress("exporting", pages);
        if (to.toString().equals("-")) {
            try (FileChannel out = new FileOutputStream(FileDescriptor.out).getChannel()) {
                StreamExport.write(manifest, store.devices(), source, out, done -> Vms.pages(progress, done));
            }
            return 0;
        }
        replacing(to, part -> {
            try (FileChannel out = FileChannel.open(
                    part, StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING)) {
                StreamExport.write(manifest, store.devices(), source, out, done -> Vms.pages(progress, done));
                out.force(true);
            }
        });
        vms.out().println(to + ": " + ByteSizes.show(Files.size(to)));
        return 0;
    }

    private int mapped(VmStore store, StoreSource source, Path to) throws IOException {
        Manifest manifest = Objects.requireNonNull(store.manifest());
        Progress progress = vms.progress("exporting", source.blocks().totalPages());
        replacing(to, part -> {
            try (FileChannel out = FileChannel.open(
                    part, StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING)) {
                MappedExport.write(
                        manifest,
                        store.devices(),
                        source,
                        (position, bytes) -> {
                            for (long at = position; bytes.hasRemaining(); ) {
                                at += out.write(bytes, at);
                            }
                        },
                        done -> Vms.pages(progress, done));
                out.force(true);
            }
        });
        vms.out().println(to + ": " + ByteSizes.show(Files.size(to)) + ", sparse");
        return 0;
    }

    private interface Writer {
        void write(Path file) throws IOException;
    }

    /** The file has its name only once it is whole, and both outlive a power loss. */
    private void replacing(Path to, Writer writer) throws IOException {
        Path part = to.resolveSibling(to.getFileName() + ".part");
        boolean done = false;
        try {
            writer.write(part);
            Files.move(part, to, StandardCopyOption.ATOMIC_MOVE);
            vms.disk().syncFolder(Objects.requireNonNull(to.toAbsolutePath().getParent()));
            done = true;
        } catch (IOException e) {
            throw Vms.trouble("write", to, e);
        } finally {
            if (!done) {
                Files.deleteIfExists(part);
            }
        }
    }
}
