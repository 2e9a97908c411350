// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import io.godwit.store.VmStore;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code godwit store arrived}. */
@Command(
        name = "arrived",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Your word that a VM that is leaving has arrived, where nothing could confirm it: after 'unpark --to file:' or 'exec:'. It is gone from here then, and can be removed.",
            "Say it once the file is where it shall be, or a QEMU has loaded it. Nothing is deleted by it, but only 'store export' brings the VM out again afterwards."
        })
final class ArrivedCommand implements Callable<Integer> {
    @Mixin
    private Vms vms;

    @Parameters(paramLabel = "VM", description = "A name below the root, or a path.")
    private String vm;

    @Option(
            names = "--whole",
            description =
                    "That its memory is there, too: a VM that left by postcopy needs this word, and you know it when the destination's query-migrate says 'completed'.")
    private boolean whole;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    ArrivedCommand() {}

    @Override
    public Integer call() {
        return vms.guarded(() -> {
            try (VmStore store = vms.open(vm)) {
                store.arrived(whole);
                vms.out().println("the VM in " + store.folder() + " is gone: its destination has it");
            }
            return 0;
        });
    }
}
