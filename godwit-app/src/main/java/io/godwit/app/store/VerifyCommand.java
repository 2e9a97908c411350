// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import io.godwit.app.term.ExitCodes;
import io.godwit.app.term.Progress;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.store.DamagedPageException;
import io.godwit.store.StoreSource;
import io.godwit.store.Verification;
import io.godwit.store.VmStore;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code godwit store verify}. */
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Compares every page and the device state of a complete VM with its digest and names what is damaged.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:all is as it was received", "1:something is damaged, or the VM is not complete"})
final class VerifyCommand implements Callable<Integer> {
    @Mixin
    private Vms vms;

    @Parameters(paramLabel = "VM", description = "A name below the root, or a path.")
    private String vm;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    VerifyCommand() {}

    @Override
    public Integer call() {
        return vms.guarded(() -> {
            try (VmStore store = vms.open(vm);
                    StoreSource source = store.source()) {
                store.devices();
                long total = source.blocks().list().stream()
                        .mapToLong(block -> block.pages())
                        .sum();
                Progress progress = vms.progress("verifying", total);
                Verification found = Verification.run(source, done -> Vms.pages(progress, done));
                tell(found);
                return found.isWhole() ? 0 : ExitCodes.FAILED;
            }
        });
    }

    private void tell(Verification found) {
        if (json) {
            vms.out()
                    .println(JsonObject.builder()
                            .put("whole", found.isWhole())
                            .put("pages", found.pages())
                            .put("zero", found.zeroPages())
                            .put("damaged", found.damagedPages())
                            .put(
                                    "damages",
                                    new JsonArray(found.damages().stream()
                                            .map(VerifyCommand::shown)
                                            .toList()))
                            .build());
            return;
        }
        for (DamagedPageException damage : found.damages()) {
            vms.out().println(damage.getMessage());
        }
        long unnamed = found.damagedPages() - found.damages().size();
        if (unnamed > 0) {
            vms.out().println("and " + unnamed + " more");
        }
        vms.out()
                .println(
                        found.isWhole()
                                ? "all " + found.pages() + " pages are as they were received (" + found.zeroPages()
                                        + " of them zero), the device state too"
                                : found.damagedPages() + " of " + found.pages() + " pages are damaged");
    }

    private static Json shown(DamagedPageException damage) {
        return JsonObject.builder()
                .put("block", damage.block())
                .put("page", damage.page())
                .put("file", damage.file().toString())
                .build();
    }
}
