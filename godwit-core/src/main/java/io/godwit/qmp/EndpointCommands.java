// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.engine.EndpointControl;
import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.EndpointControl.Owner;
import io.godwit.engine.MigrationInfo;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.net.MigrationAddress;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The commands of {@code spec/qmp.md §2}, each bound to the endpoint's method of its meaning. What can be checked without knowing the
 * endpoint's state is checked here, the rest is refused by the endpoint.
 */
public final class EndpointCommands {
    private final EndpointControl control;

    private EndpointCommands(EndpointControl control) {
        this.control = control;
    }

    /** All commands, for a {@link QmpServer}. */
    public static CommandTable table(EndpointControl control) {
        return table(control, _ -> {});
    }

    /** All commands and some more, for a {@link QmpServer}. */
    public static CommandTable table(EndpointControl control, Consumer<CommandTable.Builder> more) {
        EndpointCommands commands = new EndpointCommands(control);
        CommandTable.Builder table = CommandTable.builder(QmpVersion.GODWIT);
        commands.addMigration(table);
        commands.addRecovery(table);
        commands.addSettings(table);
        commands.addGuest(table);
        addDescriptors(table);
        new ObjectCommands(control).addTo(table);
        more.accept(table);
        return table.build();
    }

    private void addMigration(CommandTable.Builder table) {
        table.command("migrate")
                .mayTake("uri", ArgumentType.STRING)
                .mayTake("channels", ArgumentType.ARRAY)
                .mayTake("resume", ArgumentType.BOOLEAN)
                .mayTake("detach", ArgumentType.BOOLEAN) // says what is so anyway: the answer does not wait for the end
                .runsFor((arguments, client) -> {
                    var target = MigrateTarget.of("migrate", arguments, client.descriptors());
                    return done(target, client, () -> control.migrate(target, arguments.bool("resume", false)));
                });
        table.command("migrate-incoming")
                .mayTake("uri", ArgumentType.STRING)
                .mayTake("channels", ArgumentType.ARRAY)
                .mayTake("exit-on-error", ArgumentType.BOOLEAN)
                .runsFor(this::migrateIncoming);
        table.command("migrate_cancel").runs(_ -> done(control::migrateCancel));
        table.command("migrate-start-postcopy").runs(_ -> done(control::migrateStartPostcopy));
        table.command("migrate-continue").takes("state", ArgumentType.STRING).runs(this::migrateContinue);
        table.command("query-migrate")
                .runs(_ -> asked(() -> QueryMigrate.shown(
                        control.info(), control.capabilities().contains(Capability.POSTCOPY_BLOCKTIME))));
        // One loop does everything, before, during and after: no thread is a migration's own.
        table.command("query-migrationthreads").runs(_ -> Json.array());
    }

    private void addRecovery(CommandTable.Builder table) {
        table.command("migrate-pause").oob().runs(_ -> done(control::migratePause));
        table.command("migrate-recover").oob().takes("uri", ArgumentType.STRING).runsFor((arguments, client) -> {
            var listen = MigrateTarget.uri(arguments, client.descriptors());
            return done(listen, client, () -> control.migrateRecover(listen));
        });
        table.command("x-godwit-migrate-resolve")
                .takes("owner", ArgumentType.STRING)
                .mayTake("whole", ArgumentType.BOOLEAN)
                .runs(arguments -> {
                    Owner owner = owner(arguments.string("owner"), arguments.bool("whole", false));
                    return done(() -> control.migrateResolve(owner));
                });
        table.command("query-yank").oob().runs(_ -> asked(() -> yankable(control.info())));
        table.command("yank").oob().takes("instances", ArgumentType.ARRAY).runs(this::yank);
    }

    private void addSettings(CommandTable.Builder table) {
        table.command("migrate-set-capabilities")
                .takes("capabilities", ArgumentType.ARRAY)
                .runs(arguments -> {
                    var changes = CapabilityArguments.changes(arguments.array("capabilities"), control.capabilities());
                    return done(() -> control.setCapabilities(changes));
                });
        table.command("query-migrate-capabilities")
                .runs(_ -> asked(() -> CapabilityArguments.shown(control.capabilities())));
        MigrationParameters.declare(table.command("migrate-set-parameters")).runs(arguments -> {
            var change = MigrationParameters.change(arguments);
            return done(() -> control.setParameters(change));
        });
        table.command("query-migrate-parameters")
                .runs(_ -> asked(() -> MigrationParameters.shown(control.parameters())));
    }

    private void addGuest(CommandTable.Builder table) {
        table.command("query-status").runs(_ -> {
            String state = asked(control::runState);
            return JsonObject.builder()
                    .put("status", state)
                    .put("running", state.equals("running"))
                    .build();
        });
        table.command("stop").runs(_ -> done(control::stop));
        table.command("cont").runs(_ -> done(control::cont));
        table.command("quit").runs(_ -> done(() -> control.quit("host-qmp-quit")));
        table.command("system_reset").runs(_ -> {
            throw QmpError.generic("the guest cannot be reset: it is a program that has no beginning to go back to");
        });
        table.command("pmemsave")
                .takes("val", ArgumentType.INT)
                .takes("size", ArgumentType.INT)
                .takes("filename", ArgumentType.STRING)
                .runs(this::pmemsave);
    }

    private static void addDescriptors(CommandTable.Builder table) {
        table.command("getfd")
                .takesDescriptors()
                .takes("fdname", ArgumentType.STRING)
                .runsFor((arguments, client) -> {
                    client.descriptors().name(arguments.string("fdname"), client.claimed());
                    return Json.object();
                });
        table.command("closefd").takes("fdname", ArgumentType.STRING).runsFor((arguments, client) -> {
            client.descriptors().closeNamed(arguments.string("fdname"));
            return Json.object();
        });
    }

    private Json migrateIncoming(JsonObject arguments, CommandTable.Client client) throws QmpError {
        if (arguments.bool("exit-on-error", false)) {
            throw QmpError.generic(
                    "'exit-on-error' cannot be true: an endpoint outlives a migration that fails, so that"
                            + " another can be tried; leave it away and watch for the status failed");
        }
        var listen = MigrateTarget.of("migrate-incoming", arguments, client.descriptors());
        return done(listen, client, () -> control.migrateIncoming(listen));
    }

    private Json migrateContinue(JsonObject arguments) throws QmpError {
        String state = arguments.string("state");
        if (Stream.of(MigrationStatus.values())
                .noneMatch(status -> status.word().equals(state))) {
            throw QmpError.generic("there is no migration status '" + state + "'; use one of "
                    + Stream.of(MigrationStatus.values())
                            .map(MigrationStatus::word)
                            .collect(Collectors.joining(", ")));
        }
        return done(() -> control.migrateContinue(state));
    }

    private static JsonArray yankable(MigrationInfo info) {
        boolean underWay = switch (info.status()) {
            case NONE, COMPLETED, FAILED, CANCELLED -> false;
            case SETUP,
                    CANCELLING,
                    ACTIVE,
                    POSTCOPY_ACTIVE,
                    POSTCOPY_PAUSED,
                    POSTCOPY_RECOVER_SETUP,
                    POSTCOPY_RECOVER,
                    PRE_SWITCHOVER,
                    DEVICE,
                    UNCERTAIN -> true;
        };
        return underWay
                ? new JsonArray(
                        List.of(JsonObject.builder().put("type", "migration").build()))
                : new JsonArray(List.of());
    }

    private Json yank(JsonObject arguments) throws QmpError {
        JsonArray instances = arguments.array("instances");
        for (int i = 0; i < instances.size(); i++) {
            String type = instances.object(i).string("type");
            if (!type.equals("migration")) {
                throw new QmpError(
                        QmpError.DEVICE_NOT_FOUND, "there is nothing of type '" + type + "' to yank, only migration");
            }
        }
        return instances.size() == 0 ? Json.object() : done(control::yank);
    }

    private Json pmemsave(JsonObject arguments) throws QmpError {
        long address = arguments.int64("val");
        long size = arguments.int64("size");
        if (address < 0 || size < 0) {
            throw QmpError.generic("'val' and 'size' must not be negative, got " + address + " and " + size);
        }
        String filename = arguments.string("filename");
        try {
            Path file = Path.of(filename);
            control.pmemsave(address, size, file);
            return Json.object();
        } catch (CommandRefused e) {
            throw refusal(e);
        } catch (InvalidPathException e) {
            throw QmpError.generic("'" + filename + "' is no file's name: " + e.getReason());
        } catch (IOException e) {
            throw QmpError.generic("cannot write '" + filename + "': " + reason(e));
        }
    }

    /** Files' exceptions tell much by their class alone. */
    private static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException _ -> "there is no such folder";
            case AccessDeniedException _ -> "permission denied";
            case FileSystemException failed when failed.getReason() != null -> failed.getReason();
            default -> String.valueOf(e.getMessage());
        };
    }

    private static Owner owner(String word, boolean whole) throws QmpError {
        return switch (word) {
            case "source" -> {
                if (whole) {
                    throw QmpError.generic(
                            "'whole' says of a destination that it has all of the memory: it does not go with owner=source");
                }
                yield Owner.SOURCE;
            }
            case "destination" -> whole ? Owner.DESTINATION_WHOLE : Owner.DESTINATION;
            default -> throw QmpError.generic("'owner' must be source or destination, got '" + word + "'");
        };
    }

    private interface Action {
        void run() throws CommandRefused;
    }

    private static Json done(Action action) throws QmpError {
        try {
            action.run();
            return Json.object();
        } catch (CommandRefused e) {
            throw refusal(e);
        }
    }

    /** As {@link #done(Action)}; a descriptor that its client named is used up by it, if it is not refused. */
    private static Json done(MigrationAddress address, CommandTable.Client client, Action action) throws QmpError {
        Json answer = done(action);
        if (address instanceof MigrationAddress.Handed handed) {
            client.descriptors().used(handed.descriptor());
        }
        return answer;
    }

    /** A query; an endpoint that has ended has no answer. */
    private static <T> T asked(Supplier<T> question) throws QmpError {
        try {
            return question.get();
        } catch (IllegalStateException e) {
            if (e.getCause() instanceof CommandRefused refused) {
                throw refusal(refused);
            }
            throw e;
        }
    }

    private static QmpError refusal(CommandRefused e) {
        return QmpError.generic(String.valueOf(e.getMessage()));
    }
}
