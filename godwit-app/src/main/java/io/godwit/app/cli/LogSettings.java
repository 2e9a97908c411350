// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.cli;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.logging.LogManager;

/**
 * How the log looks: one line per record on stderr, warnings only unless {@code GODWIT_LOG} names another level of
 * {@link java.util.logging.Level} ({@code FINE}, {@code INFO}, ..., {@code OFF}).
 *
 * <p>The JDK makes an instance when the first logger is asked for, so a command that logs nothing pays nothing.
 */
public final class LogSettings {
    private static final String CLASS = "java.util.logging.config.class";
    private static final String FILE = "java.util.logging.config.file";

    /** Called by the JDK's log manager, never by us. */
    public LogSettings() throws IOException {
        String level = System.getenv().getOrDefault("GODWIT_LOG", "WARNING");
        String settings = """
                handlers=java.util.logging.ConsoleHandler
                java.util.logging.ConsoleHandler.level=ALL
                java.util.logging.SimpleFormatter.format=%%1$tT.%%1$tL %%4$s %%3$s: %%5$s%%6$s%%n
                .level=WARNING
                io.godwit.level=%s
                """.formatted(level.strip());
        LogManager.getLogManager()
                .readConfiguration(new ByteArrayInputStream(settings.getBytes(StandardCharsets.UTF_8)));
    }

    /** Makes this class the settings of the log, unless the user gave some of his own with {@code -D}. */
    public static void install() {
        if (System.getProperty(FILE) == null && System.getProperty(CLASS) == null) {
            System.setProperty(CLASS, LogSettings.class.getName());
        }
    }
}
