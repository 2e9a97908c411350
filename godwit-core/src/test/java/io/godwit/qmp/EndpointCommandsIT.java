// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.engine.EndpointListener;
import io.godwit.engine.MigrationInfo;
import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.protocol.MigrationStatus;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What each command does, and what is told of a migration. The settings have {@link EndpointSettingsIT}. */
class EndpointCommandsIT extends EndpointTalk {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "migrate | {'uri':'tcp:127.0.0.1:4444'} | migrate tcp:127.0.0.1:4444",
                "migrate | {'uri':'unix:/x','resume':true,'detach':true} | migrate unix:/x resume",
                "migrate | {'channels':[{'channel-type':'main','addr':{'transport':'socket','type':'inet','host':'::1','port':'9'}}]}"
                        + " | migrate tcp:[::1]:9",
                "migrate-incoming | {'uri':'tcp:[::1]:0'} | incoming tcp:[::1]:0",
                "migrate-incoming | {'channels':[{'channel-type':'main','addr':{'transport':'socket','type':'unix','path':'/x'}}],'exit-on-error':false}"
                        + " | incoming unix:/x",
                "migrate-recover | {'uri':'unix:/y'} | recover unix:/y",
                "migrate | {'uri':'exec:cat > x'} | migrate exec:cat > x",
                "migrate | {'channels':[{'channel-type':'main','addr':{'transport':'exec','args':['/bin/cat','x']}}]} | migrate exec:/bin/cat x",
                "migrate-incoming | {'channels':[{'channel-type':'main','addr':{'transport':'file','filename':'/f','offset':7}}]}"
                        + " | incoming file:/f,offset=7",
                "migrate-incoming | {'channels':[{'channel-type':'main','addr':{'transport':'socket','type':'fd','str':'5'}}]} | incoming fd:5",
                "migrate-pause | {} | pause",
                "migrate_cancel | {} | cancel",
                "migrate-continue | {'state':'pre-switchover'} | continue pre-switchover",
                "migrate-start-postcopy | {} | start-postcopy",
                "x-godwit-migrate-resolve | {'owner':'destination'} | resolve DESTINATION",
                "x-godwit-migrate-resolve | {'owner':'destination','whole':true} | resolve DESTINATION_WHOLE",
                "yank | {'instances':[{'type':'migration'}]} | yank",
                "stop | {} | stop",
                "cont | {} | cont",
                "quit | {} | quit host-qmp-quit",
                "pmemsave | {'val':4096,'size':8192,'filename':'/tmp/x'} | pmemsave 4096 8192 /tmp/x",
            })
    void eachCommandReachesTheEndpoint(String command, String arguments, String call) throws Exception {
        assertThat(ask(command, arguments)).isEqualTo(OK);
        assertThat(endpoint.calls).containsExactly(call);

        endpoint.refusal = "not now: \"so\"";
        assertThat(ask(command, arguments))
                .isEqualTo("{\"error\": {\"class\": \"GenericError\", \"desc\": \"not now: \\\"so\\\"\"}}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "migrate | {} | either 'uri' or 'channels', got neither",
                "migrate | {'uri':'tcp:h:1','channels':[]} | got both",
                "migrate | {'uri':'vsock:1:2'} | vsock is not spoken yet",
                "migrate | {'uri':'fd:mig'} | getfd",
                "migrate | {'channels':[{'channel-type':'main','addr':{'transport':'exec','args':[]}}]} | a command is missing",
                "migrate | {'channels':[{'channel-type':'main','addr':{'transport':'exec','args':[1]}}]} | string",
                "migrate | {'channels':[{'channel-type':'main','addr':{'transport':'file','filename':'/f'}}]} | member 'offset' is missing",
                "migrate | {'channels':[{'channel-type':'main','addr':{'transport':'smoke','x':1}}]} | no transport 'smoke'",
                "migrate | {'uri':'nonsense'} | nonsense",
                "migrate | {'uri':7} | must be a string, got int",
                "migrate | {'uri':'tcp:h:1','blk':true} | no argument 'blk'",
                "migrate | {'channels':[]} | exactly one channel",
                "migrate | {'channels':[{'channel-type':'cpr','addr':{}}]} | type 'cpr'",
                "migrate | {'channels':[{'channel-type':'main'}]} | member 'addr' is missing",
                "migrate | {'channels':[{'channel-type':'main','addr':{'transport':'rdma'}}]} | 'rdma' is not implemented",
                "migrate | {'channels':[{'channel-type':'main','addr':{'transport':'socket','type':'vsock'}}]} | 'vsock' are not",
                "migrate | {'channels':[{'channel-type':'main','addr':{'transport':'socket','type':'inet','host':'h','port':'x'}}]}"
                        + " | 'port' must be a number",
                "migrate | {'channels':[{'channel-type':'main','addr':{'transport':'socket','type':'inet','host':'h','port':'70000'}}]}"
                        + " | 70000",
                "migrate | {'channels':[{'channel-type':'main','addr':{'transport':'socket','type':'inet','host':'h','port':'1','mptcp':true}}]}"
                        + " | 'mptcp'",
                "migrate-incoming | {'uri':'tcp:h:1','exit-on-error':true} | 'exit-on-error' cannot be true",
                "migrate-recover | {} | needs the argument uri",
                "migrate-continue | {'state':'lunch'} | no migration status 'lunch'",
                "x-godwit-migrate-resolve | {'owner':'me'} | source or destination, got 'me'",
                "x-godwit-migrate-resolve | {'owner':'source','whole':true} | does not go with owner=source",
                "pmemsave | {'val':-1,'size':1,'filename':'x'} | not be negative",
                "pmemsave | {'val':18446744073709551615,'size':1,'filename':'x'} | 'val' must lie between",
                "pmemsave | {'val':0,'size':1,'filename':'\\u0000'} | no file's name",
                "system_reset | {} | cannot be reset",
            })
    void whatCannotBeIsRefusedByASentence(String command, String arguments, String sentence) throws Exception {
        assertThat(refusal(command, arguments)).contains(sentence);
    }

    @Test
    void saysWhyMemoryCannotBeSaved() throws Exception {
        String arguments = "{'val':0,'size':1,'filename':'/none/x'}";
        endpoint.failure = new NoSuchFileException("/none/x");
        assertThat(ask("pmemsave", arguments)).contains("\"cannot write '/none/x': there is no such folder\"");
        endpoint.failure = new AccessDeniedException("/none/x");
        assertThat(ask("pmemsave", arguments)).contains("'/none/x': permission denied");
        endpoint.failure = new FileSystemException("/none/x", null, "Is a directory");
        assertThat(ask("pmemsave", arguments)).contains("'/none/x': Is a directory");
        endpoint.failure = new IOException("No space left on device");
        assertThat(ask("pmemsave", arguments)).contains("'/none/x': No space left on device");
    }

    @Test
    void yankKnowsTheMigrationOnly() throws Exception {
        assertThat(ask("yank", "{'instances':[{'type':'migration'},{'type':'chardev','id':'c'}]}"))
                .contains("\"DeviceNotFound\"")
                .contains("chardev");
        assertThat(ask("yank", "{'instances':[]}")).isEqualTo(OK);
        assertThat(endpoint.calls).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void tellsWhatCanBeYanked(MigrationStatus status) throws Exception {
        endpoint.info = FakeEndpoint.info(MigrationInfo.Role.SOURCE, status);
        boolean over = List.of("none", "completed", "failed", "cancelled").contains(status.word());
        assertThat(client.ask("{\"exec-oob\":\"query-yank\"}"))
                .isEqualTo(over ? "{\"return\": []}" : "{\"return\": [{\"type\": \"migration\"}]}");
    }

    @Test
    void recoveryCommandsGoOutOfBandOthersDoNot() throws Exception {
        assertThat(client.ask("{\"exec-oob\":\"migrate-pause\"}")).isEqualTo(OK);
        assertThat(client.ask("{\"exec-oob\":\"migrate-recover\",\"arguments\":{\"uri\":\"unix:/x\"}}"))
                .isEqualTo(OK);
        assertThat(client.ask("{\"exec-oob\":\"yank\",\"arguments\":{\"instances\":[{\"type\":\"migration\"}]}}"))
                .isEqualTo(OK);
        assertThat(client.ask("{\"exec-oob\":\"migrate_cancel\"}")).contains("out-of-band");
        assertThat(endpoint.calls).containsExactly("pause", "recover unix:/x", "yank");
    }

    @Test
    void namesItselfAndItsCommands() throws Exception {
        assertThat(ask("query-version")).contains("\"major\": 10, \"minor\": 0").contains("\"package\": \"godwit");
        assertThat(ask("query-commands"))
                .contains("{\"name\": \"migrate\"}")
                .contains("{\"name\": \"qmp_capabilities\"}")
                .contains("{\"name\": \"query-commands\"}");
        assertThat(ask("query-migrationthreads")).isEqualTo("{\"return\": []}");
    }

    @Test
    void tellsTheRunState() throws Exception {
        assertThat(ask("query-status")).isEqualTo("{\"return\": {\"status\": \"running\", \"running\": true}}");
        endpoint.runState = "finish-migrate";
        assertThat(ask("query-status")).isEqualTo("{\"return\": {\"status\": \"finish-migrate\", \"running\": false}}");
    }

    @Test
    void queryMigrateIsEmptyBeforeAnything() throws Exception {
        assertThat(ask("query-migrate")).isEqualTo(OK);
    }

    @Test
    void anEndpointThatHasEndedSaysSo() throws Exception {
        endpoint.refusal = "the endpoint has ended";

        assertThat(ask("query-migrate")).contains("GenericError").contains("\"the endpoint has ended\"");
    }

    @Test
    void tellsWhatHappens() throws Exception {
        tell(listener -> listener.statusChanged(MigrationStatus.NONE, MigrationStatus.SETUP, ""));
        tell(listener -> listener.passStarted(1));
        ask("migrate-set-capabilities", "{'capabilities':[{'capability':'events','state':true}]}");
        tell(listener -> listener.statusChanged(MigrationStatus.SETUP, MigrationStatus.ACTIVE, "connected"));
        tell(listener -> listener.passStarted(2));
        tell(EndpointListener::guestStopped);
        tell(EndpointListener::guestResumed);
        tell(listener -> listener.notice("a stray was here"));
        tell(listener -> listener.shutdown("host-qmp-quit"));
        tell(listener -> listener.shutdown("guest-shutdown"));

        assertThat(event("MIGRATION").string("status")).isEqualTo("active"); // before 'events' was on, nothing
        assertThat(event("MIGRATION_PASS").int64("pass")).isEqualTo(2);
        assertThat(event("STOP")).isEqualTo(Json.object());
        assertThat(event("RESUME")).isEqualTo(Json.object());
        assertThat(event("X_GODWIT_NOTICE").string("text")).isEqualTo("a stray was here");
        assertThat(event("SHUTDOWN")).isEqualTo(Json.parse("{\"guest\":false,\"reason\":\"host-qmp-quit\"}"));
        assertThat(event("SHUTDOWN").bool("guest")).isTrue();
        qmp.close();
        assertThat(endpoint.listeners).isEmpty();
    }

    private void tell(Consumer<EndpointListener> what) {
        endpoint.listeners.forEach(what);
    }

    private JsonObject event(String name) throws Exception {
        JsonObject message = client.receive();
        assertThat(message.string("event")).isEqualTo(name);
        return message.has("data") ? message.object("data") : Json.object();
    }

    @Test
    void theDestinationShowsItsRequestsOnceCompleted() throws Exception {
        endpoint.info = new MigrationInfo(
                MigrationInfo.Role.DESTINATION,
                MigrationStatus.COMPLETED,
                "once the channel broke",
                0,
                0,
                0,
                -1,
                MigrationInfo.Ram.NONE,
                List.of(new Address.Unix(Path.of("/x"))),
                new MigrationInfo.Requests(3, 0, 5_999_999, 700, 500, 900, 990, 1000, List.of(1L, 2L)),
                new MigrationInfo.Extra(null, 4, 5, 6, null, false));

        JsonObject without = (JsonObject) Json.parse(ask("query-migrate"));
        ask("migrate-set-capabilities", "{'capabilities':[{'capability':'postcopy-blocktime','state':true}]}");
        JsonObject with = ((JsonObject) Json.parse(ask("query-migrate"))).object("return");

        assertThat(without.object("return").has("postcopy-latency")).isFalse();
        assertThat(with.int64("postcopy-blocktime")).isEqualTo(5);
        assertThat(with.int64("postcopy-latency")).isEqualTo(700);
        assertThat(with.array("postcopy-latency-dist")).isEqualTo(Json.array(Json.of(1), Json.of(2)));
        assertThat(with.has("socket-address")).isFalse();
        assertThat(with.has("error-desc")).as("all is well now").isFalse();
        assertThat(with.object("x-godwit-requests").int64("p99-ns")).isEqualTo(990);
        assertThat(with.int64("x-godwit-duplicates")).isEqualTo(4);
        assertThat(with.int64("x-godwit-recoveries-tried")).isEqualTo(5);
        assertThat(with.int64("x-godwit-stray-connections")).isEqualTo(6);
    }
}
