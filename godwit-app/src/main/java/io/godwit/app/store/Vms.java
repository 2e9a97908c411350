// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import io.godwit.app.term.ExitCodes;
import io.godwit.app.term.Progress;
import io.godwit.qmp.QmpVersion;
import io.godwit.store.Disk;
import io.godwit.store.OsDisk;
import io.godwit.store.StoreException;
import io.godwit.store.VmStore;
import io.godwit.sys.ByteSizes;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Objects;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What all commands about parked VMs share: where these are, and how is told what went wrong. */
final class Vms {
    static final String ROOT = "/var/lib/godwit";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--root",
            paramLabel = "FOLDER",
            description = "Where VMs that are given by name are (default: " + ROOT + ").")
    private Path root = Path.of(ROOT);

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    Vms() {}

    /** What a command does; its exit code. */
    interface Work {
        int run() throws IOException;
    }

    Path root() {
        return root;
    }

    /** A name without a slash is one below the root. */
    Path folder(String vm) {
        return vm.contains("/") ? Path.of(vm) : root.resolve(vm);
    }

    Disk disk() {
        return new OsDisk();
    }

    VmStore open(String vm) {
        return VmStore.openExisting(disk(), folder(vm), Clock.systemUTC(), QmpVersion.GODWIT.packageName());
    }

    VmStore create(String vm) {
        return VmStore.open(disk(), folder(vm), Clock.systemUTC(), QmpVersion.GODWIT.packageName());
    }

    PrintWriter out() {
        return spec.commandLine().getOut();
    }

    /** Told on standard error, so that it is in nobody's way. */
    Progress progress(String what, long total) {
        return new Progress(spec.commandLine().getErr(), what, total, System::nanoTime);
    }

    static void bytes(Progress progress, long done) {
        progress.at(done, ByteSizes::show);
    }

    static void pages(Progress progress, long done) {
        progress.at(done, pages -> pages + " pages");
    }

    /** Runs it; what the store cannot do is a sentence and an exit code. */
    int guarded(Work work) {
        try {
            return work.run();
        } catch (StoreException e) {
            return failed(
                    String.valueOf(e.getMessage()),
                    switch (e.kind()) {
                        case CORRUPT, REFUSED, MISSING -> ExitCodes.FAILED;
                        case FULL, UNUSABLE, BROKEN, SYNC_FAILED, LOCKED -> ExitCodes.UNAVAILABLE;
                    });
        } catch (IOException e) {
            return failed(Objects.requireNonNullElse(e.getMessage(), e.toString()), ExitCodes.UNAVAILABLE);
        }
    }

    int failed(String sentence, int code) {
        spec.commandLine().getErr().println("godwit: " + sentence);
        return code;
    }

    /**
     * As a sentence, what went wrong with a file that the command line names.
     *
     * @param what was to be done with it, as in "read"
     */
    static IOException trouble(String what, Path file, IOException e) {
        return new IOException("cannot " + what + " '" + file + "': " + reason(file, e), e);
    }

    private static String reason(Path file, IOException e) {
        return switch (e) {
            case NoSuchFileException _ -> {
                Path folder = file.toAbsolutePath().getParent();
                yield folder != null && !Files.isDirectory(folder)
                        ? "there is no folder '" + folder + "'"
                        : "there is no such file";
            }
            case AccessDeniedException _ -> "its permissions, or those of a folder above it, forbid it";
            case FileSystemException other -> Objects.requireNonNullElse(other.getReason(), other.toString());
            default -> Objects.requireNonNullElse(e.getMessage(), e.toString());
        };
    }
}
