// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import io.godwit.store.VmStore;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code godwit store disown}. */
@Command(
        name = "disown",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Your word that the VM is still, or again, its source's: what is here is given up, and can be removed.",
            "For one that is parked-unconfirmed or receiving-postcopy. Say it only when you have seen that the guest runs at the source: else it is lost."
        })
final class DisownCommand implements Callable<Integer> {
    @Mixin
    private Vms vms;

    @Parameters(paramLabel = "VM", description = "A name below the root, or a path.")
    private String vm;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    DisownCommand() {}

    @Override
    public Integer call() {
        return vms.guarded(() -> {
            try (VmStore store = vms.open(vm)) {
                store.disown("an operator has said that its source has it");
                vms.out().println("the VM in " + store.folder() + " is given up: it is its source's");
            }
            return 0;
        });
    }
}
