// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;

/**
 * A network namespace without a name. It is there as long as a process is in it: a shell, which does what it is told in it, and whom else {@link #launcher} takes there. The shell
 * ends when this is closed, or when this process has ended, however it did; the kernel takes away the rest. So nothing is ever left that somebody would have to find and remove.
 *
 * <p>Who is not root has a user namespace around it, where the kernel allows that. {@link #close} may be called from any thread, the rest is for one.
 */
final class Namespace implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 10;
    private static final String DONE = "= ";

    /** Reads a line, does it, says how it ended. Debian has tc where only root's PATH leads. */
    private static final String SCRIPT = """
            PATH=$PATH:/usr/sbin:/sbin
            for tool in ip tc ss; do
                command -v "$tool" >/dev/null || { echo "'$tool' is not here: install iproute2 (Debian's package has that name)"; exit 1; }
            done
            ip link set dev lo up || exit 1
            echo ready
            while read -r line; do eval "$line" </dev/null; echo "= $?"; done
            """;

    private final Process shell;
    private final BufferedReader said;
    private final Writer words;
    private final boolean user;

    private Namespace(Process shell, boolean user) {
        this.shell = shell;
        this.said = shell.inputReader(StandardCharsets.UTF_8);
        this.words = shell.outputWriter(StandardCharsets.UTF_8);
        this.user = user;
    }

    /** Makes one. */
    static Namespace open() throws IOException {
        boolean root = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        List<String> unshare =
                root ? List.of("unshare", "--net") : List.of("unshare", "--user", "--map-root-user", "--net");
        return start(List.of(), unshare, !root);
    }

    /** Makes another whose devices may be moved to this one and back. */
    Namespace another() throws IOException {
        return start(launcher(), List.of("unshare", "--net"), user);
    }

    private static Namespace start(List<String> launcher, List<String> unshare, boolean user) throws IOException {
        // In a session of its own, so that a Ctrl-C does not reach it.
        List<String> command = new ArrayList<>(List.of("setsid"));
        command.addAll(launcher);
        command.addAll(unshare);
        command.addAll(List.of("sh", "-c", SCRIPT));
        Namespace made = new Namespace(
                new ProcessBuilder(command).redirectErrorStream(true).start(), user);
        String line = made.said.readLine();
        if (!"ready".equals(line)) {
            made.close();
            throw new IOException("no network namespace can be made here: " + line);
        }
        return made;
    }

    long pid() {
        return shell.pid();
    }

    /** What stands before the command of a process that is to be in it; the process keeps its id. */
    List<String> launcher() {
        List<String> command = new ArrayList<>(List.of("nsenter", "--target", Long.toString(shell.pid()), "--net"));
        if (user) {
            command.addAll(List.of("--user", "--preserve-credentials"));
        }
        command.add("--");
        return command;
    }

    /**
     * Does something in it.
     *
     * @param line of shell
     * @return what was said
     * @throws IOException with what was said, if it ends with anything but 0, or this was closed
     */
    String run(String line) throws IOException {
        words.append(line).append('\n').flush();
        StringJoiner all = new StringJoiner("; ");
        for (String next = said.readLine(); next != null; next = said.readLine()) {
            if (next.startsWith(DONE)) {
                if (!next.equals(DONE + 0)) {
                    throw new IOException("'" + line + "' has failed in a network namespace: " + all);
                }
                return all.toString();
            }
            all.add(next);
        }
        throw new IOException("the shell in the network namespace has ended: " + all);
    }

    @Override
    public void close() {
        shell.destroyForcibly();
        shell.onExit()
                .completeOnTimeout(shell, PATIENCE_SECONDS, TimeUnit.SECONDS)
                .join();
    }
}
