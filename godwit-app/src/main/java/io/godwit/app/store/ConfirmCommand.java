// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import io.godwit.store.VmStore;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code godwit store confirm}. */
@Command(
        name = "confirm",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Your word that the VM's source does not run it and never will: parked-unconfirmed becomes parked.",
            "Say it when you have seen query-migrate say 'completed' at the source, or when the source's process is gone."
        })
final class ConfirmCommand implements Callable<Integer> {
    @Mixin
    private Vms vms;

    @Parameters(paramLabel = "VM", description = "A name below the root, or a path.")
    private String vm;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    ConfirmCommand() {}

    @Override
    public Integer call() {
        return vms.guarded(() -> {
            try (VmStore store = vms.open(vm)) {
                store.confirm();
                vms.out().println("the VM in " + store.folder() + " is parked; nobody else has it");
            }
            return 0;
        });
    }
}
