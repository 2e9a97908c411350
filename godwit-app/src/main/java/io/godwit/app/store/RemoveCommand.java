// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import io.godwit.store.Removal;
import io.godwit.store.VmStore;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code godwit store remove}. */
@Command(
        name = "remove",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Removes a VM's files.",
            "One that is gone, or was never received whole, needs no more words; a parked one needs --force; "
                    + "one that is on its way in or out in postcopy is never removed."
        })
final class RemoveCommand implements Callable<Integer> {
    @Mixin
    private Vms vms;

    @Parameters(paramLabel = "VM", description = "A name below the root, or a path.")
    private String vm;

    @Option(names = "--force", description = "Also if it is parked and perhaps exists nowhere else.")
    private boolean force;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    RemoveCommand() {}

    @Override
    public Integer call() {
        return vms.guarded(() -> {
            try (VmStore store = vms.open(vm)) {
                Removal.remove(store, force);
                vms.out().println("removed " + store.folder());
            }
            return 0;
        });
    }
}
