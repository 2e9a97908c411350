// SPDX-License-Identifier: Apache-2.0

package io.godwit.app;

import java.io.PrintWriter;
import java.io.Writer;
import picocli.CommandLine.Command;

/**
 * What the launcher runs once after a build, so that the JVM can write down which classes a start loads (the AOT cache).
 * It has no effect that outlives it.
 */
final class Training {
    private Training() {}

    public static void main(String[] args) {
        Main.begin();
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        int code = Main.run(nowhere, nowhere, Main.commands(), "--help")
                + Main.run(nowhere, nowhere, Main.commands(), "--version");
        for (Class<?> command : Main.commands()) {
            String name = command.getAnnotation(Command.class).name();
            code += Main.run(nowhere, nowhere, Main.commands(), name, "--help");
        }
        try {
            Rehearsal.play();
        } catch (Exception e) {
            // The cache is the poorer for it, nothing else: this goes into the build's log.
            System.err.println("the rehearsal of a migration failed: " + e);
        }
        System.exit(code);
    }
}
