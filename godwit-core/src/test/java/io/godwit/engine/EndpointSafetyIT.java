// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.guest.ChurnGuest;
import io.godwit.guest.Guest;
import io.godwit.memory.Backing;
import io.godwit.net.Address;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.wire.DeviceSectionBytes;
import io.godwit.wire.DeviceSections;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Random;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an operator, a guest or a listener may do wrong without a guest being lost or doubled. */
@Timeout(60)
class EndpointSafetyIT {

    @Test
    void aListenerThatFailsInTheWorstWayCostsNothing() throws Exception {
        try (Pair pair = new Pair(Pair.TINY, Capability.RETURN_PATH)) {
            pair.source.addListener(new EndpointListener() {
                @Override
                public void statusChanged(MigrationStatus from, MigrationStatus to, String reason) {
                    throw new AssertionError("a listener's defect");
                }

                @Override
                public void notice(String text) {
                    throw new AssertionError("again");
                }
            });
            pair.source.migrate(pair.target, false);
            pair.bothCompleted();
            pair.verifyDestination();
        }
    }

    @Test
    void whoeverAsksIsAnsweredThoughTheAnswerIsAnError() throws Exception {
        Mailbox mailbox = new Mailbox(() -> {});
        FutureTask<String> operator = new FutureTask<>(() -> mailbox.call(() -> {
            throw new StackOverflowError("a defect");
        }));
        Thread.ofPlatform().daemon().start(operator);
        Pair.eventually("the request was taken", () -> {
            mailbox.drain();
            return operator.isDone();
        });
        assertThatThrownBy(() -> operator.get(10, TimeUnit.SECONDS)).hasRootCauseMessage("a defect");
    }

    @Test
    void anEndpointEndsThoughItsGuestCannotBeClosed() throws Exception {
        ChurnGuest guest = ChurnGuest.create(Pair.TINY, Backing.ANONYMOUS);
        Endpoint endpoint = Endpoint.withGuest("stubborn", failing(guest, "close"), System::nanoTime, new Random(1));
        assertThatThrownBy(endpoint::close).hasRootCauseMessage("close fails here");
        assertThat(endpoint.ended()).isCompletedExceptionally();
        guest.close();
        guest.memory().close();
    }

    @Test
    void aDestinationWhoseGuestCannotLoadSaysSoAndTheSourceKeepsTheGuest() throws Exception {
        ChurnGuest there = ChurnGuest.incoming(Pair.MIB, Backing.ANONYMOUS);
        try (Pair pair = new Pair(Pair.TINY, Capability.RETURN_PATH, Capability.POSTCOPY_RAM);
                Endpoint broken = Endpoint.forIncoming(
                        "broken", failing(there, "loadDevices"), System::nanoTime, new Random(1))) {
            broken.setCapabilities(Pair.on(Capability.RETURN_PATH, Capability.POSTCOPY_RAM));
            broken.migrateIncoming(new Address.Tcp("127.0.0.1", 0));
            pair.source.migrate(broken.info().listening().getFirst(), false);
            pair.source.migrateStartPostcopy();
            pair.src.await(MigrationStatus.UNCERTAIN);
            assertThat(broken.info().status()).isEqualTo(MigrationStatus.FAILED);
            assertThat(broken.info().errorDesc()).contains("the device state cannot be loaded", "fails here");
            assertThat(pair.source.info().errorDesc()).contains("the destination ended with status");

            pair.source.migrateResolve(EndpointControl.Owner.SOURCE);
            pair.verifySource();
        }
        there.memory().close();
    }

    @Test
    void aRunStateTooShortIsASentence() {
        byte[] sections =
                DeviceSections.encode(List.of(new DeviceSectionBytes("globalstate", 0, 1, new byte[] {1, 2})), 2);
        assertThatThrownBy(() -> Devices.decode(sections)).isInstanceOf(IllegalArgumentException.class);
    }

    /** The guest, with one method that throws. */
    private static Guest failing(Guest guest, String method) {
        return (Guest) Proxy.newProxyInstance(
                EndpointSafetyIT.class.getClassLoader(), new Class<?>[] {Guest.class}, (_, called, arguments) -> {
                    if (called.getName().equals(method)) {
                        throw new IllegalStateException(method + " fails here");
                    }
                    try {
                        return called.invoke(guest, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
