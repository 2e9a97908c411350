// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How to start this program once more: by the same java with the same options, so with the same AOT cache, and by the launcher's rule with the first compiler only. */
public final class ChildCommand {
    /** Of the JVM: its optimizing compiler is not used. */
    private static final String QUICK = "-XX:TieredStopAtLevel=1";

    private static final String MODULE = "io.godwit.app";
    private static final String MAIN = MODULE + ".Main";
    private static final Path OWN = Path.of("/proc/self/cmdline");

    private ChildCommand() {}

    /** @param arguments of Godwit's command line */
    public static List<String> of(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(java());
        if (goesQuick(arguments)) {
            // Before all others, so that a user's word is the last one.
            command.add(1, QUICK);
        }
        command.addAll(arguments);
        return command;
    }

    /**
     * Whether it is faster without the optimizing compiler, which takes as much of the processor as a GiB does: what it does most is done by the kernel and by libraries. Ciphers are not.
     */
    public static boolean goesQuick(List<String> arguments) {
        return switch (arguments.isEmpty() ? "" : arguments.getFirst()) {
            case "park", "unpark", "store" -> arguments.stream().noneMatch(word -> word.contains("tls"));
            default -> false;
        };
    }

    /** Whether this process is one without the optimizing compiler. */
    public static boolean isQuick() {
        return System.getProperty("java.vm.info", "").contains("emulated-client");
    }

    private static List<String> java() throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        List<String> own = List.of(new String(Files.readAllBytes(OWN), StandardCharsets.UTF_8).split("\0", -1));
        List<String> command = new ArrayList<>();
        command.add(java);
        for (int i = 1; i + 1 < own.size(); i++) {
            boolean module = own.get(i).equals("-m") || own.get(i).equals("--module");
            if (module && own.get(i + 1).startsWith(MODULE + "/")) {
                command.add("-m");
                command.add(MODULE + "/" + MAIN);
                return command;
            }
            command.add(own.get(i));
        }
        return embedded(java);
    }

    /** Started by something else, a test say: there are no options to take over, and every child is to be ready soon. */
    private static List<String> embedded(String java) {
        String modules = System.getProperty("jdk.module.path", "");
        List<String> command = new ArrayList<>(List.of(java, "-XX:+UseSerialGC", QUICK));
        if (modules.isEmpty()) {
            command.addAll(
                    List.of("--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"), MAIN));
        } else {
            command.addAll(List.of(
                    "--enable-native-access=io.godwit.core,com.github.luben.zstd_jni",
                    "-p",
                    modules,
                    "-m",
                    MODULE + "/" + MAIN));
        }
        return command;
    }
}
