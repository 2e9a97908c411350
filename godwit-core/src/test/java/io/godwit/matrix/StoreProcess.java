// SPDX-License-Identifier: Apache-2.0

package io.godwit.matrix;

import io.godwit.engine.Endpoint;
import io.godwit.engine.StoredGuest;
import io.godwit.net.Address;
import io.godwit.qmp.EndpointQmp;
import io.godwit.store.OsDisk;
import io.godwit.store.VmStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Random;
import java.util.concurrent.CountDownLatch;

/** A process of its own that keeps a VM's folder and does what its QMP socket says, until it is killed. */
final class StoreProcess {
    private StoreProcess() {}

    /** @param args the VM's folder, the QMP socket */
    @SuppressWarnings("SystemOut") // the one word that the test waits for
    public static void main(String[] args) throws IOException, InterruptedException {
        VmStore store = VmStore.open(new OsDisk(), Path.of(args[0]), InstantSource.system(), "test");
        Endpoint endpoint = Endpoint.parking(
                "store",
                new StoredGuest(
                        store,
                        InstantSource.system(),
                        StoredGuest.Terms.leaving(null, "", StoredGuest.Copy.NONE, true)),
                false,
                System::nanoTime,
                new Random());
        EndpointQmp.serve(new Address.Unix(Path.of(args[1])), endpoint);
        System.out.println("ready");
        new CountDownLatch(1).await();
    }
}
