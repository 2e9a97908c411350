// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.EndpointControl.Owner;
import io.godwit.engine.Stage.At;
import io.godwit.net.Address;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every command in every state, at either end: it is carried out, or refused by a sentence and has changed nothing. */
@Timeout(60)
class OperatorMatrixIT {
    /** What an operator can say. */
    private enum Command {
        MIGRATE,
        RESUME,
        INCOMING,
        RECOVER,
        PAUSE,
        YANK,
        CANCEL,
        CONTINUE,
        POSTCOPY,
        RESOLVE_SOURCE,
        RESOLVE_DESTINATION,
        RESOLVE_WHOLE,
        CAPABILITIES,
        STOP,
        CONT,
        QUIT;

        void say(Stage stage) throws CommandRefused {
            Endpoint endpoint = stage.endpoint;
            Address spare = new Address.Unix(stage.pair.folder.resolve("spare.sock"));
            switch (this) {
                case MIGRATE -> endpoint.migrate(spare, false);
                case RESUME -> endpoint.migrate(spare, true);
                case INCOMING -> endpoint.migrateIncoming(spare);
                case RECOVER -> endpoint.migrateRecover(spare);
                case PAUSE -> endpoint.migratePause();
                case YANK -> endpoint.yank();
                case CANCEL -> endpoint.migrateCancel();
                case CONTINUE -> endpoint.migrateContinue("pre-switchover");
                case POSTCOPY -> endpoint.migrateStartPostcopy();
                case RESOLVE_SOURCE -> endpoint.migrateResolve(Owner.SOURCE);
                case RESOLVE_DESTINATION -> endpoint.migrateResolve(Owner.DESTINATION);
                case RESOLVE_WHOLE -> endpoint.migrateResolve(Owner.DESTINATION_WHOLE);
                case CAPABILITIES -> endpoint.setCapabilities(Map.of(Capability.POSTCOPY_RAM, true));
                case STOP -> endpoint.stop();
                case CONT -> endpoint.cont();
                case QUIT -> endpoint.quit("host-qmp-quit");
            }
        }
    }

    /** Those that are carried out; every other one is refused. */
    private static Set<Command> accepted(At at) {
        return switch (at) {
            case SOURCE_NONE, SOURCE_FAILED, SOURCE_CANCELLED ->
                EnumSet.of(
                        Command.MIGRATE,
                        Command.CANCEL,
                        Command.CAPABILITIES,
                        Command.STOP,
                        Command.CONT,
                        Command.QUIT);
            case SOURCE_SETUP, SOURCE_ACTIVE ->
                EnumSet.of(Command.YANK, Command.CANCEL, Command.POSTCOPY, Command.STOP, Command.CONT, Command.QUIT);
            case SOURCE_PRE_SWITCHOVER ->
                EnumSet.of(
                        Command.YANK, Command.CANCEL, Command.CONTINUE, Command.POSTCOPY, Command.STOP, Command.QUIT);
            case SOURCE_DEVICE -> EnumSet.of(Command.YANK, Command.STOP);
            case SOURCE_POSTCOPY_ACTIVE, SOURCE_RECOVER_SETUP, SOURCE_RECOVER ->
                EnumSet.of(Command.PAUSE, Command.YANK, Command.STOP);
            case SOURCE_PAUSED -> EnumSet.of(Command.RESUME, Command.STOP);
            case SOURCE_UNCERTAIN ->
                EnumSet.of(Command.RESUME, Command.RESOLVE_SOURCE, Command.RESOLVE_DESTINATION, Command.STOP);
            case SOURCE_COMPLETED -> EnumSet.of(Command.CANCEL, Command.CAPABILITIES, Command.STOP, Command.QUIT);
            case DESTINATION_NONE, DESTINATION_FAILED ->
                EnumSet.of(Command.INCOMING, Command.CANCEL, Command.CAPABILITIES, Command.STOP, Command.QUIT);
            case DESTINATION_SETUP -> EnumSet.of(Command.CANCEL, Command.STOP, Command.QUIT);
            case DESTINATION_ACTIVE -> EnumSet.of(Command.YANK, Command.CANCEL, Command.STOP, Command.QUIT);
            case DESTINATION_POSTCOPY_ACTIVE, DESTINATION_RECOVER ->
                EnumSet.of(Command.PAUSE, Command.YANK, Command.STOP, Command.CONT);
            case DESTINATION_PAUSED -> EnumSet.of(Command.RECOVER, Command.STOP, Command.CONT);
            case DESTINATION_COMPLETED ->
                EnumSet.of(
                        Command.MIGRATE,
                        Command.CANCEL,
                        Command.CAPABILITIES,
                        Command.STOP,
                        Command.CONT,
                        Command.QUIT);
        };
    }

    @ParameterizedTest
    @EnumSource(At.class)
    void whatCannotBeDoneIsRefusedAndChangesNothing(At at) throws Exception {
        try (Stage stage = Stage.set(at)) {
            MigrationStatus before = stage.status();
            String runState = stage.endpoint.runState();
            for (Command command : EnumSet.complementOf(EnumSet.copyOf(accepted(at)))) {
                assertThat(refusal(stage, command)).as("%s in %s", command, at).isNotNull();
                assertThat(stage.status()).as("after %s", command).isEqualTo(before);
                assertThat(stage.endpoint.runState()).as("after %s", command).isEqualTo(runState);
            }
            stage.pair.guests.check();
        }
    }

    static List<Arguments> accepted() {
        return List.of(At.values()).stream()
                .flatMap(at -> accepted(at).stream().map(command -> Arguments.of(at, command.name())))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("accepted")
    void whatCanBeDoneIsDone(At at, String command) throws Exception {
        try (Stage stage = Stage.set(at)) {
            assertThat(refusal(stage, Command.valueOf(command))).isNull();
            if (command.equals("QUIT")) {
                stage.endpoint.ended().join();
            } else {
                assertThat(stage.endpoint.info()).isNotNull();
            }
            stage.pair.guests.check();
        }
    }

    /** The sentence, or null if it was done. */
    private static @Nullable String refusal(Stage stage, Command command) {
        try {
            command.say(stage);
            return null;
        } catch (CommandRefused e) {
            assertThat(e.getMessage()).hasSizeGreaterThan(20).contains(" ").doesNotContain("Exception", "null", "@");
            return e.getMessage();
        }
    }

    /** Also in states that last for a moment only. */
    @Test
    void afterTheEndEverythingIsRefused() throws Exception {
        try (Stage stage = Stage.set(At.SOURCE_NONE)) {
            stage.endpoint.quit("host-qmp-quit");
            stage.endpoint.ended().join();
            for (Command command : Command.values()) {
                assertThat(refusal(stage, command)).isEqualTo("the endpoint has ended");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = At.class,
            names = {
                "SOURCE_DEVICE",
                "SOURCE_POSTCOPY_ACTIVE",
                "SOURCE_PAUSED",
                "SOURCE_UNCERTAIN",
                "DESTINATION_PAUSED",
                "DESTINATION_POSTCOPY_ACTIVE"
            })
    void whoHoldsWhatExistsNowhereElseQuitsAtTheSecondWordOnly(At at) throws Exception {
        try (Stage stage = Stage.set(at)) {
            assertThat(refusal(stage, Command.QUIT)).contains("say it once more");
            assertThat(stage.endpoint.ended()).isNotDone();
            assertThat(refusal(stage, Command.QUIT)).isNull();
            stage.endpoint.ended().join();
        }
    }
}
