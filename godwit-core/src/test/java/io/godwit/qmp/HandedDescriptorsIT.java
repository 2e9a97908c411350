// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Address;
import io.godwit.sys.Descriptor;
import io.godwit.sys.HandingClient;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** getfd and closefd, and what becomes of a descriptor that was handed over: that nobody has a pipe's other end any more is seen at this end. */
@Timeout(60)
class HandedDescriptorsIT {
    private static final String OK = "{\"return\": {}}";

    @TempDir
    Path folder;

    private final FakeEndpoint endpoint = new FakeEndpoint();
    private EndpointQmp qmp;
    private HandingClient client;
    private Descriptor ours;
    private Descriptor theirs;

    @BeforeEach
    void serve() throws IOException {
        qmp = EndpointQmp.serve(new Address.Unix(folder.resolve("qmp")), endpoint);
        client = client();
        HandingClient.Ends ends = HandingClient.pair();
        ours = ends.one();
        theirs = ends.other();
    }

    private HandingClient client() throws IOException {
        HandingClient made = new HandingClient(folder.resolve("qmp"));
        assertThat(made.line()).contains("QMP");
        assertThat(made.ask("{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}"))
                .isEqualTo(OK);
        return made;
    }

    @AfterEach
    void end() throws IOException {
        client.close();
        qmp.close();
        ours.close();
        theirs.close();
    }

    private static String command(String name, String argument, String value) {
        return "{\"execute\":\"" + name + "\",\"arguments\":{\"" + argument + "\":\"" + value + "\"}}";
    }

    private static String getfd(String name) {
        return command("getfd", "fdname", name);
    }

    /** Hands over what only the other process has afterwards. */
    private void handOver(String name) throws IOException {
        assertThat(client.ask(getfd(name), theirs)).isEqualTo(OK);
        theirs.close();
    }

    @Test
    void aNamedDescriptorIsWhereAMigrationGoesAndIsUsedUpByIt() throws Exception {
        handOver("mig");
        endpoint.refusal = "not now";
        assertThat(client.ask(command("migrate", "uri", "fd:mig"))).contains("not now");
        endpoint.refusal = null;
        assertThat(client.ask(command("migrate", "uri", "fd:mig"))).isEqualTo(OK);
        assertThat(endpoint.calls).last().isEqualTo("migrate fd:mig");
        assertThat(client.ask(command("migrate", "uri", "fd:mig")))
                .contains("no descriptor 'mig' was handed over on this connection, or it was used already")
                .contains("getfd");
    }

    @Test
    void itIsWhereOneComesFromToo() throws Exception {
        handOver("in");
        String channels = "{\"execute\":\"migrate-incoming\",\"arguments\":{\"channels\":[{\"channel-type\":\"main\","
                + "\"addr\":{\"transport\":\"socket\",\"type\":\"fd\",\"str\":\"in\"}}]}}";
        assertThat(client.ask(channels)).isEqualTo(OK);
        HandingClient.Ends second = HandingClient.pair();
        try (second) {
            assertThat(client.ask(getfd("again"), second.other())).isEqualTo(OK);
            assertThat(client.ask("{\"exec-oob\":\"migrate-recover\",\"arguments\":{\"uri\":\"fd:again\"}}"))
                    .isEqualTo(OK);
        }
        assertThat(endpoint.calls).containsExactly("incoming fd:in", "recover fd:again");
    }

    @Test
    void closefdClosesIt() throws Exception {
        handOver("x");
        assertThat(client.ask(command("closefd", "fdname", "y"))).contains("no descriptor 'y'");
        assertThat(client.ask(command("closefd", "fdname", "x"))).isEqualTo(OK);
        HandingClient.awaitEnd(ours);
        assertThat(client.ask(command("closefd", "fdname", "x"))).contains("no descriptor 'x'");
    }

    @Test
    void itIsClosedWithTheConnectionAndNobodyElsesMeanwhile() throws Exception {
        handOver("x");
        try (HandingClient stranger = client()) {
            assertThat(stranger.ask(command("migrate", "uri", "fd:x"))).contains("no descriptor 'x'");
        }
        client.close();
        HandingClient.awaitEnd(ours);
    }

    @Test
    void aNameThatIsGivenAgainIsTheNewOnes() throws Exception {
        handOver("x");
        try (HandingClient.Ends second = HandingClient.pair()) {
            assertThat(client.ask(getfd("x"), second.other())).isEqualTo(OK);
            HandingClient.awaitEnd(ours);
        }
    }

    @Test
    void whatCannotHaveANameIsRefusedAndClosed() throws Exception {
        assertThat(client.ask(getfd("x")))
                .contains("no descriptor came with the command")
                .contains("SCM_RIGHTS");
        assertThat(client.ask(getfd("x"), theirs, theirs)).contains("2 descriptors came");
        assertThat(client.ask(getfd("1x"), theirs)).contains("must not be empty nor begin with a digit, got '1x'");
        assertThat(client.ask(getfd(""), theirs)).contains("must not be empty");
        assertThat(client.ask("{\"execute\":\"getfd\",\"arguments\":{\"fdname\":7}}", theirs))
                .contains("must be a string");
        theirs.close();
        HandingClient.awaitEnd(ours);
    }

    @Test
    void oneThatCameWithAnotherCommandIsForTheNextGetfd() throws Exception {
        assertThat(client.ask("{\"execute\":\"query-commands\"}", theirs)).contains("getfd");
        theirs.close();
        assertThat(client.ask(getfd("x"))).isEqualTo(OK);
        assertThat(client.ask(command("closefd", "fdname", "x"))).isEqualTo(OK);
        HandingClient.awaitEnd(ours);
    }

    @Test
    void oneThatNobodyAskedForIsClosedWhenTheNextComes() throws Exception {
        assertThat(client.ask("{\"execute\":\"query-commands\"}", theirs)).contains("getfd");
        theirs.close();
        try (HandingClient.Ends second = HandingClient.pair()) {
            assertThat(client.ask(getfd("x"), second.other())).isEqualTo(OK);
            HandingClient.awaitEnd(ours);
        }
    }

    @Test
    void namesAreBounded() throws Exception {
        for (int i = 0; i < ClientDescriptors.MOST_NAMES; i++) {
            assertThat(client.ask(getfd("n" + i), theirs)).isEqualTo(OK);
        }
        assertThat(client.ask(getfd("more"), theirs))
                .contains("64 descriptors have names")
                .contains("closefd");
        assertThat(client.ask(getfd("n0"), theirs)).isEqualTo(OK);
        theirs.close();
        client.close();
        HandingClient.awaitEnd(ours);
    }

    @Test
    void aNumberIsStillTheProcesssOwn() throws Exception {
        assertThat(client.ask(command("migrate", "uri", "fd:5"))).isEqualTo(OK);
        assertThat(endpoint.calls).containsExactly("migrate fd:5");
        assertThat(client.ask(command("migrate", "uri", "fd:"))).contains("is no number");
        assertThat(client.ask(command("migrate", "uri", "fd:5x"))).contains("'5x' is no number");
    }
}
