// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A client talks QMP with an endpoint that writes down what reaches it. */
abstract class EndpointTalk {
    static final String OK = "{\"return\": {}}";

    @TempDir
    Path folder;

    final FakeEndpoint endpoint = new FakeEndpoint();
    EndpointQmp qmp;
    RawClient client;

    @BeforeEach
    void serve() throws Exception {
        qmp = EndpointQmp.serve(new Address.Unix(folder.resolve("q")), endpoint);
        client = RawClient.negotiated(qmp.address(), "oob");
    }

    @AfterEach
    void end() throws IOException {
        client.close();
        qmp.close();
    }

    String ask(String command) throws Exception {
        return client.ask("{\"execute\":\"" + command + "\"}");
    }

    /** Arguments with single quotes for double ones. */
    String ask(String command, String arguments) throws Exception {
        return client.ask("{\"execute\":\"" + command + "\",\"arguments\":" + arguments.replace('\'', '"') + "}");
    }

    /** The sentence by which it is refused; nothing has come of it. */
    String refusal(String command, String arguments) throws Exception {
        JsonObject error = ((JsonObject) Json.parse(ask(command, arguments))).object("error");
        assertThat(error.string("class")).isEqualTo("GenericError");
        assertThat(endpoint.calls).isEmpty();
        return error.string("desc");
    }
}
