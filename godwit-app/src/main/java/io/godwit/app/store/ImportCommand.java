// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import io.godwit.app.term.Progress;
import io.godwit.store.Manifest;
import io.godwit.store.StreamImport;
import io.godwit.store.VmStore;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Callable;
import java.util.function.LongConsumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code godwit store import}. */
@Command(
        name = "import",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Parks a VM from a file that QEMU wrote (migrate to file: or exec:, with or without mapped-ram) or 'store export' made.",
            "A file does not say whether the VM goes on at its source: unless you say --confirmed, unparking needs an explicit word."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  godwit store import /backup/web1.qemu web2 --confirmed",
            "  ssh oldhost cat web1.qemu | godwit store import - web2"
        })
final class ImportCommand implements Callable<Integer> {
    @Mixin
    private Vms vms;

    @Parameters(
            index = "0",
            paramLabel = "FILE",
            description = "The file; '-' for a stream at standard input (none with mapped-ram).")
    private String file;

    @Parameters(index = "1", paramLabel = "VM", description = "A name below the root, or a path, that is free.")
    private String vm;

    @Option(names = "--confirmed", description = "Your word that the VM does not run at its source and never will.")
    private boolean confirmed;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    ImportCommand() {}

    @Override
    public Integer call() {
        return vms.guarded(() -> {
            try (FileChannel from = open();
                    VmStore store = vms.create(vm)) {
                Progress progress = vms.progress("importing", file.equals("-") ? 0 : from.size());
                LongConsumer told = done -> Vms.bytes(progress, done);
                if (!Files.isRegularFile(Path.of(file))) {
                    StreamImport.read(from, store, confirmed, told);
                } else {
                    StreamImport.readFile(from, store, confirmed, told);
                }
                Manifest parked = store.manifest();
                vms.out()
                        .println("the VM in " + store.folder() + " is "
                                + (parked == null ? "gone" : parked.state().word()));
            }
            return 0;
        });
    }

    private FileChannel open() throws IOException {
        if (file.equals("-")) {
            return new FileInputStream(FileDescriptor.in).getChannel();
        }
        Path path = Path.of(file);
        if (Files.isDirectory(path)) {
            throw new IOException("'" + file + "' is a folder: a file with a migration stream, or '-', is needed"
                    + " (a parked VM's folder needs no import)");
        }
        try {
            return FileChannel.open(path, StandardOpenOption.READ);
        } catch (IOException e) {
            throw Vms.trouble("read", path, e);
        }
    }
}
