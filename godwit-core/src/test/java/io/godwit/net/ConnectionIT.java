// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Loop.Told;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Two ends of one connection, over both kinds of socket. */
@ParameterizedClass
@ValueSource(strings = {"tcp:127.0.0.1:0", "tcp:[::1]:0", "unix:"})
@Timeout(30)
class ConnectionIT {
    private final String address;

    @TempDir
    Path folder;

    private Loop loop;
    private Listener listener;
    private Connection near;
    private Connection far;

    ConnectionIT(String address) {
        this.address = address;
    }

    @BeforeEach
    void connect() throws IOException {
        loop = new Loop();
        listener = loop.listen(address.equals("unix:") ? address + folder.resolve("s") : address);
        Connection[] pair = loop.pair(listener);
        near = pair[0];
        far = pair[1];
    }

    @AfterEach
    void close() {
        loop.close();
    }

    @Test
    void whatOneSaysTheOtherHears() {
        loop.say(near, "hello");
        loop.hear(far, "hello");

        loop.say(far, "and you");
        loop.hear(near, "and you");
    }

    @Test
    void anEndOfStreamIsReadOnceAndTheOtherDirectionGoesOn() {
        near.shutdownOutput();
        loop.await(Told.Ended.class, e -> e.connection() == far);
        loop.rounds = 0;
        loop.poll(30_000_000);
        assertThat(loop.told).as("told again").isEmpty();

        loop.say(far, "still here");
        loop.hear(near, "still here");
    }
}
