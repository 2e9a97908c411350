// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.net.MigrationAddress.Exec;
import io.godwit.net.MigrationAddress.FileRange;
import io.godwit.net.MigrationAddress.Handed;
import io.godwit.net.MigrationAddress.Inherited;
import io.godwit.sys.ChildProcess;
import io.godwit.sys.Descriptor;
import io.godwit.sys.InheritedDescriptors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a ferry goes to: where it reads, where it writes, and whose end counts.
 *
 * @param in null: nothing comes from there
 * @param out null: what is written is dropped; may be the same as {@code in}
 * @param child whose exit code says whether all is well
 * @param file {@code out} is a regular file, which is synced
 * @param folder where that file's name is, which is synced, too; null: it came without a name
 */
record FarSide(
        @Nullable Descriptor in,
        @Nullable Descriptor out,
        @Nullable ChildProcess child,
        boolean file,
        @Nullable Path folder) {

    FarSide(@Nullable Descriptor in, @Nullable Descriptor out, @Nullable ChildProcess child, boolean file) {
        this(in, out, child, file, null);
    }

    /** @throws IOException with a part of a sentence: what is wrong and what to do */
    static FarSide open(MigrationAddress.Local address, Ferry.Way way) throws IOException {
        return switch (address) {
            case Exec exec -> start(exec);
            case FileRange range -> open(range, way);
            case Inherited inherited -> take(inherited, way);
            case Handed handed -> use(handed.descriptor().take(), way);
        };
    }

    /** It will never be opened. */
    static void forget(MigrationAddress.Local address) {
        if (address instanceof Handed handed) {
            handed.descriptor().close();
        }
    }

    private static FarSide start(Exec exec) throws IOException {
        Descriptor.Pipe input = Descriptor.pipe("the input of '" + exec + "'");
        try {
            Descriptor.Pipe output = Descriptor.pipe("the output of '" + exec + "'");
            try {
                ChildProcess child = ChildProcess.start(exec.command(), input.readEnd(), output.writeEnd());
                return new FarSide(
                        output.readEnd().nonBlocking(), input.writeEnd().nonBlocking(), child, false);
            } catch (IOException failed) {
                output.readEnd().close();
                throw failed;
            } finally {
                output.writeEnd().close();
            }
        } catch (IOException failed) {
            input.writeEnd().close();
            throw failed;
        } finally {
            input.readEnd().close();
        }
    }

    private static FarSide open(FileRange range, Ferry.Way way) throws IOException {
        Descriptor file = switch (way) {
            case OUT -> Descriptor.openToWrite(range.path());
            case IN -> Descriptor.openToRead(range.path());
        };
        try {
            if (!file.isRegularFile()) {
                throw new IOException(range.path() + " is no regular file; use exec:cat for what is none");
            }
            switch (way) {
                case OUT -> file.truncateAt(range.offset());
                case IN -> file.seek(range.offset());
            }
            return switch (way) {
                case OUT -> new FarSide(null, file, null, true, folder(range.path()));
                case IN -> of(file, way);
            };
        } catch (IOException failed) {
            file.close();
            throw failed;
        }
    }

    /** A link's name is there already: what counts is where the file itself is. */
    private static Path folder(Path file) throws IOException {
        return Objects.requireNonNull(file.toRealPath().getParent());
    }

    private static FarSide take(Inherited inherited, Ferry.Way way) throws IOException {
        Descriptor taken;
        try {
            taken = InheritedDescriptors.take(inherited.number());
        } catch (IllegalArgumentException none) {
            throw new IOException(none.getMessage(), none);
        }
        return use(taken, way);
    }

    private static FarSide use(Descriptor taken, Ferry.Way way) throws IOException {
        try {
            if (taken.isSocket()) {
                return new FarSide(taken.nonBlocking(), taken, null, false);
            }
            return of(taken.isRegularFile() ? taken : taken.nonBlocking(), way);
        } catch (IOException failed) {
            taken.close();
            throw failed;
        }
    }

    private static FarSide of(Descriptor one, Ferry.Way way) {
        return switch (way) {
            case OUT -> new FarSide(null, one, null, one.isRegularFile());
            case IN -> new FarSide(one, null, null, false);
        };
    }

    void close() throws IOException {
        try {
            if (in != null) {
                in.close();
            }
        } finally {
            try {
                if (out != null) {
                    out.close();
                }
            } finally {
                if (child != null) {
                    child.close();
                }
            }
        }
    }
}
