// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.net.Address;
import io.godwit.net.Listener;
import io.godwit.net.Reactor;
import io.godwit.net.TlsCredentials;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Where an endpoint awaits connections: at one address per purpose. Used by the loop only. */
final class Listening implements AutoCloseable {
    /** Which command wants it. */
    enum Purpose {
        INCOMING,
        RECOVER
    }

    private final Reactor reactor;
    private final Map<Purpose, Listener> places = new LinkedHashMap<>();

    Listening(Reactor reactor) {
        this.reactor = reactor;
    }

    /**
     * Listens there, in place of where it did for the same purpose before. An address that is listened on already, for whatever purpose, is left as it is.
     *
     * @param tls who connects has to speak it; null: not
     * @throws CommandRefused with a sentence, if it cannot; then all is as it was
     */
    void at(Purpose purpose, Address address, @Nullable TlsCredentials tls) throws CommandRefused {
        for (Listener there : places.values()) {
            if (there.isOpen() && there.address().equals(address)) {
                there.secure(tls);
                return;
            }
        }
        Listener fresh;
        try {
            fresh = reactor.listen(address);
        } catch (IOException e) {
            throw new CommandRefused(String.valueOf(e.getMessage()), e);
        }
        fresh.secure(tls);
        Listener former = places.put(purpose, fresh);
        if (former != null) {
            former.close();
        }
    }

    /** Stops listening for this purpose: what is awaited comes from what is no socket. */
    void nowhere(Purpose purpose) {
        Listener former = places.remove(purpose);
        if (former != null) {
            former.close();
        }
    }

    /** From now on who connects has to speak TLS, or with null must not. */
    void secure(@Nullable TlsCredentials tls) {
        places.values().forEach(place -> place.secure(tls));
    }

    List<Address> addresses() {
        return places.values().stream()
                .filter(Listener::isOpen)
                .map(Listener::address)
                .toList();
    }

    @Override
    public void close() {
        places.values().forEach(Listener::close);
    }
}
