// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonTypeException;
import io.godwit.net.HandedDescriptor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The commands that a {@link QmpServer} knows. Names, arguments and their types are checked here, so that a command's handler sees
 * only what it declared. Immutable; handlers are called by several threads at once.
 */
public final class CommandTable {
    /** What a command does. Its arguments are of the types that were declared. */
    @FunctionalInterface
    public interface Handler {
        /** @throws QmpError the refusal, as the peer will see it */
        Json run(JsonObject arguments) throws QmpError;
    }

    /** What a command does with what its client has handed over. */
    @FunctionalInterface
    interface ClientHandler {
        /** @throws QmpError the refusal, as the peer will see it */
        Json run(JsonObject arguments, Client client) throws QmpError;
    }

    /**
     * Whose command it is.
     *
     * @param descriptors what this client has handed over
     * @param claimed of those what came with this command, if it takes any; what gets no name is closed afterwards
     */
    record Client(ClientDescriptors descriptors, List<HandedDescriptor> claimed) {
        public Client {
            claimed = List.copyOf(claimed);
        }
    }

    private record Argument(String name, ArgumentType type, boolean optional) {
        String shown() {
            return name + " (" + type.words() + (optional ? ", optional)" : ")");
        }
    }

    private record Entry(
            String name, boolean oob, boolean descriptors, List<Argument> arguments, ClientHandler handler) {}

    private static final System.Logger LOG = System.getLogger(CommandTable.class.getName());
    private static final int MOST_SHOWN = 6;

    private final QmpVersion version;
    private final Map<String, Entry> entries;

    private CommandTable(QmpVersion version, Map<String, Entry> entries) {
        this.version = version;
        this.entries = entries;
    }

    /** A table that has qmp_capabilities, query-version and query-commands already. */
    public static Builder builder(QmpVersion version) {
        return new Builder(version);
    }

    public QmpVersion version() {
        return version;
    }

    public boolean has(String command) {
        return entries.containsKey(command);
    }

    /** Whether the command exists and may be carried out before those that wait. */
    public boolean isOob(String command) {
        Entry entry = entries.get(command);
        return entry != null && entry.oob;
    }

    /** Whether descriptors that come with it are for it; else they are for a later one. */
    boolean takesDescriptors(String command) {
        Entry entry = entries.get(command);
        return entry != null && entry.descriptors;
    }

    /** Carries out a command, on the calling thread, for one who hands nothing over, and gives its answer: a {@link QmpMessage.Return} or an error. */
    public QmpMessage answer(QmpMessage.Command command) {
        return answer(command, new Client(new ClientDescriptors(), List.of()));
    }

    /** As {@link #answer(QmpMessage.Command)}, for a client who may have handed something over. */
    QmpMessage answer(QmpMessage.Command command, Client client) {
        try {
            Entry entry = check(command);
            return new QmpMessage.Return(entry.handler.run(command.arguments(), client), command.id());
        } catch (QmpError e) {
            return new QmpMessage.ErrorReply(e.errorClass(), String.valueOf(e.getMessage()), command.id());
        } catch (JsonTypeException e) {
            return error(command, "in the arguments of '" + command.name() + "' " + e.getMessage());
        } catch (RuntimeException e) {
            // Nobody expected this one; the session, and the endpoint behind it, go on.
            LOG.log(System.Logger.Level.ERROR, "QMP command " + command.name() + " failed unexpectedly", e);
            return error(command, "'" + command.name() + "' failed unexpectedly: " + e);
        }
    }

    private static QmpMessage error(QmpMessage.Command command, String sentence) {
        return new QmpMessage.ErrorReply(QmpError.GENERIC, sentence, command.id());
    }

    /** Checks a command's name and arguments without carrying it out. */
    void checkOnly(QmpMessage.Command command) throws QmpError {
        check(command);
    }

    private Entry check(QmpMessage.Command command) throws QmpError {
        Entry entry = entries.get(command.name());
        if (entry == null) {
            throw new QmpError(
                    QmpError.COMMAND_NOT_FOUND,
                    "there is no command '" + command.name() + "'; query-commands names those there are");
        }
        for (Map.Entry<String, Json> given : command.arguments().members().entrySet()) {
            check(entry, given.getKey(), given.getValue());
        }
        for (Argument argument : entry.arguments) {
            if (!argument.optional && !command.arguments().has(argument.name)) {
                throw QmpError.generic("'" + entry.name + "' needs the argument " + argument.shown());
            }
        }
        return entry;
    }

    private static void check(Entry entry, String name, Json value) throws QmpError {
        Argument argument = find(entry, name);
        if (argument == null) {
            throw QmpError.generic("'" + entry.name + "' has no argument '" + name + "'" + known(entry));
        }
        if (!argument.type.takes(value)) {
            throw QmpError.generic("argument '" + name + "' of '" + entry.name + "' must be " + argument.type.words()
                    + ", got " + value.typeName());
        }
    }

    private static @Nullable Argument find(Entry entry, String name) {
        for (Argument argument : entry.arguments) {
            if (argument.name.equals(name)) {
                return argument;
            }
        }
        return null;
    }

    private static String known(Entry entry) {
        if (entry.arguments.isEmpty()) {
            return "; it takes none";
        }
        return entry.arguments.size() > MOST_SHOWN
                ? ""
                : "; it takes " + entry.arguments.stream().map(Argument::shown).collect(Collectors.joining(", "));
    }

    private Json names() {
        return new JsonArray(entries.keySet().stream()
                .<Json>map(name -> JsonObject.builder().put("name", name).build())
                .toList());
    }

    /** Collects commands; for one thread. */
    public static final class Builder {
        private final QmpVersion version;
        private final Map<String, Entry> entries = new LinkedHashMap<>();

        private Builder(QmpVersion version) {
            this.version = version;
        }

        /** Begins a command; {@link CommandBuilder#runs} ends it. */
        public CommandBuilder command(String name) {
            return new CommandBuilder(this, name);
        }

        private void add(Entry entry) {
            if (entries.putIfAbsent(entry.name, entry) != null) {
                throw new IllegalArgumentException("the command '" + entry.name + "' is there already");
            }
        }

        public CommandTable build() {
            command("qmp_capabilities")
                    .mayTake("enable", ArgumentType.ARRAY)
                    // A session handles it while it negotiates; it comes here only afterwards.
                    .runs(_ -> {
                        throw new QmpError(
                                QmpError.COMMAND_NOT_FOUND, "this session's capabilities are negotiated already");
                    });
            command("query-version").runs(_ -> version.toJson());
            CommandTable[] table = new CommandTable[1];
            command("query-commands").runs(_ -> table[0].names());
            table[0] = new CommandTable(version, new LinkedHashMap<>(entries));
            return table[0];
        }
    }

    /** One command on its way into a table; for one thread. */
    public static final class CommandBuilder {
        private final Builder table;
        private final String name;
        private final List<Argument> arguments = new ArrayList<>();
        private boolean oob;
        private boolean descriptors;

        private CommandBuilder(Builder table, String name) {
            this.table = table;
            this.name = name;
        }

        /** May be sent out-of-band: its handler then runs on the session's reader, and must not wait for anything. */
        public CommandBuilder oob() {
            oob = true;
            return this;
        }

        /** Descriptors may come with it. */
        CommandBuilder takesDescriptors() {
            descriptors = true;
            return this;
        }

        /** Has to be given. */
        public CommandBuilder takes(String argument, ArgumentType type) {
            arguments.add(new Argument(argument, type, false));
            return this;
        }

        /** May be given. */
        public CommandBuilder mayTake(String argument, ArgumentType type) {
            arguments.add(new Argument(argument, type, true));
            return this;
        }

        public Builder runs(Handler handler) {
            return runsFor((given, _) -> handler.run(given));
        }

        /** As {@link #runs}, for a command that depends on what its client has handed over. */
        Builder runsFor(ClientHandler handler) {
            table.add(new Entry(name, oob, descriptors, List.copyOf(arguments), handler));
            return table;
        }
    }
}
