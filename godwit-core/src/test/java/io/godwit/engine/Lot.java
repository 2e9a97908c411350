// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.guest.ChurnGuest;
import io.godwit.guest.ChurnOptions;
import io.godwit.memory.Backing;
import io.godwit.net.Address;
import io.godwit.net.FaultPlan;
import io.godwit.net.Relay;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;

/** Guests that come and go, a place where they are parked, and a relay in front of whoever listens. All of it in this process. */
final class Lot implements Closeable {
    static final Address ANYWHERE = new Address.Tcp("127.0.0.1", 0);
    static final Capability[] PRECOPY = {Capability.RETURN_PATH};
    static final Capability[] POSTCOPY = {Capability.POSTCOPY_RAM, Capability.RETURN_PATH};

    private static final ChurnOptions GUEST =
            ChurnOptions.of(Pair.MIB).withWriters(2, 200).withSeed(4719);

    /** One end. */
    record End(Endpoint endpoint, Diary diary) {
        void set(Capability... capabilities) throws Exception {
            endpoint.setCapabilities(Pair.on(capabilities));
        }

        void parameters(UnaryOperator<Parameters> change) throws Exception {
            endpoint.setParameters(change);
        }
    }

    private final List<Endpoint> endpoints = new ArrayList<>();
    private final List<MemoryStore> stores = new ArrayList<>();
    private final List<Relay> relays = new ArrayList<>();
    private final List<ChurnGuest> guests = new ArrayList<>();

    End parked(MemoryStore store, Capability... capabilities) throws Exception {
        return parked(store, false, capabilities);
    }

    End parked(MemoryStore store, boolean unsafe, Capability... capabilities) throws Exception {
        stores.add(store);
        return end("park", Endpoint.parking("park", store, unsafe, System::nanoTime, new Random(1)), capabilities);
    }

    /** A guest that runs. */
    End running(Capability... capabilities) throws Exception {
        ChurnGuest guest = keep(ChurnGuest.create(GUEST, Backing.ANONYMOUS));
        End end = end("source", Endpoint.withGuest("source", guest, System::nanoTime, new Random(2)), capabilities);
        end.endpoint.cont();
        return end;
    }

    /** A place where a guest can run. */
    End awaiting(Capability... capabilities) throws Exception {
        ChurnGuest guest = keep(ChurnGuest.incoming(GUEST.size(), Backing.MEMFD));
        return end(
                "destination",
                Endpoint.forIncoming("destination", guest, System::nanoTime, new Random(3)),
                capabilities);
    }

    private ChurnGuest keep(ChurnGuest guest) {
        guests.add(guest);
        return guest;
    }

    private End end(String name, Endpoint endpoint, Capability... capabilities) throws Exception {
        endpoints.add(endpoint);
        Diary diary = new Diary(name);
        endpoint.addListener(diary);
        End end = new End(endpoint, diary);
        if (capabilities.length > 0) {
            end.set(capabilities);
        }
        end.parameters(Pair::fast);
        return end;
    }

    /** It listens, behind a relay. */
    Relay before(End end) throws Exception {
        end.endpoint.migrateIncoming(ANYWHERE);
        return relay(end);
    }

    Relay relay(End end) throws IOException {
        Relay relay = Relay.start(ANYWHERE, end.endpoint.info().listening().getFirst(), FaultPlan.NONE, event -> {});
        relays.add(relay);
        return relay;
    }

    /** The source knows that the other end has the guest, whose memory comes slowly from now on. */
    static void toPostcopy(End source, End park, Relay relay) throws Exception {
        source.parameters(Pair::slow);
        source.endpoint().migrate(relay.address(), false);
        source.endpoint().migrateStartPostcopy();
        park.diary().await(MigrationStatus.POSTCOPY_ACTIVE);
        Pair.eventually("the source knows", () -> source.endpoint().info().downtimeMillis() >= 0);
    }

    static void bothPaused(End source, End park) {
        source.diary().await(MigrationStatus.POSTCOPY_PAUSED);
        park.diary().await(MigrationStatus.POSTCOPY_PAUSED);
    }

    static void bothCompleted(End source, End park) {
        source.diary().await(MigrationStatus.COMPLETED);
        park.diary().await(MigrationStatus.COMPLETED);
    }

    /** The guest that arrived last is stopped, and every page of it is right. */
    void verifyLast(End end) throws Exception {
        Pair.verify(end.endpoint, guests.getLast());
    }

    /** The guest that was there first is stopped, and every page of it is right. */
    void verifyFirst(End end) throws Exception {
        Pair.verify(end.endpoint, guests.getFirst());
    }

    /** A guest was parked, and is there. */
    MemoryStore full() throws Exception {
        MemoryStore store = new MemoryStore();
        End source = running(PRECOPY);
        End park = parked(store, PRECOPY);
        source.endpoint.migrate(before(park).address(), false);
        source.diary.await(MigrationStatus.COMPLETED);
        park.diary.await(MigrationStatus.COMPLETED);
        park.endpoint.close();
        return store.restarted();
    }

    /** From the store into a guest that runs, whose every page is then right. */
    void unparkAndVerify(MemoryStore store, Capability... capabilities) throws Exception {
        End park = parked(store.restarted(), capabilities);
        End destination = awaiting(capabilities);
        park.endpoint.migrate(before(destination).address(), false);
        park.diary.await(MigrationStatus.COMPLETED);
        destination.diary.await(MigrationStatus.COMPLETED);
        assertThat(destination.endpoint.runState()).isEqualTo("running");
        verifyLast(destination);
    }

    @Override
    public void close() throws IOException {
        stores.forEach(MemoryStore::releaseAll);
        endpoints.forEach(Endpoint::close);
        for (Relay relay : relays) {
            relay.close();
        }
        guests.forEach(guest -> guest.memory().close());
    }
}
