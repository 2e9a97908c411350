// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import io.godwit.store.VmStore;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code godwit store take-back}. */
@Command(
        name = "take-back",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Your word that a VM that is leaving never ran at its destination and never will: it is parked again.",
            "Say it only when the destination's process is gone and its guest never ran: two of it would ruin its disks."
        })
final class TakeBackCommand implements Callable<Integer> {
    @Mixin
    private Vms vms;

    @Parameters(paramLabel = "VM", description = "A name below the root, or a path.")
    private String vm;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    TakeBackCommand() {}

    @Override
    public Integer call() {
        return vms.guarded(() -> {
            try (VmStore store = vms.open(vm)) {
                store.takeBack();
                vms.out().println("the VM in " + store.folder() + " is parked again");
            }
            return 0;
        });
    }
}
