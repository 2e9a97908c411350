// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import io.godwit.app.term.Table;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.page.BlockInfo;
import io.godwit.store.Manifest;
import io.godwit.store.VmSummary;
import io.godwit.sys.ByteSizes;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code godwit store list}. */
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Lists the VMs below a folder, also those that another process uses right now.")
final class ListCommand implements Callable<Integer> {
    @Mixin
    private Vms vms;

    @Parameters(paramLabel = "ROOT", arity = "0..1", description = "Instead of --root.")
    private @Nullable Path root;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    ListCommand() {}

    @Override
    public Integer call() {
        return vms.guarded(() -> {
            Path where = root == null ? vms.root() : root;
            List<VmSummary.Entry> entries = VmSummary.list(vms.disk(), where);
            if (json) {
                vms.out()
                        .println(new JsonArray(
                                entries.stream().<Json>map(ListCommand::shown).toList()));
            } else if (entries.isEmpty()) {
                vms.out().println("there is no VM in " + where);
            } else {
                vms.out().print(table(entries));
                vms.out().flush();
            }
            return 0;
        });
    }

    private static Table table(List<VmSummary.Entry> entries) {
        Table table = new Table("VM", "STATE", "MACHINE", "RAM", "SINCE");
        for (VmSummary.Entry entry : entries) {
            Manifest manifest = entry.manifest();
            if (manifest == null) {
                table.row(name(entry), "unreadable", String.valueOf(entry.problem()));
            } else {
                table.row(
                        name(entry),
                        manifest.state().word(),
                        manifest.arrival().machine(),
                        ByteSizes.show(ram(manifest)),
                        Shown.time(manifest.changed()));
            }
        }
        return table;
    }

    private static Json shown(VmSummary.Entry entry) {
        JsonObject.Builder shown = JsonObject.builder()
                .put("vm", name(entry))
                .put("folder", entry.folder().toString());
        Manifest manifest = entry.manifest();
        if (manifest == null) {
            return shown.put("problem", String.valueOf(entry.problem())).build();
        }
        return shown.putAll(Shown.manifest(manifest)).put("ram", ram(manifest)).build();
    }

    private static String name(VmSummary.Entry entry) {
        return String.valueOf(entry.folder().getFileName());
    }

    private static long ram(Manifest manifest) {
        return manifest.arrival().blocks().stream()
                .mapToLong(BlockInfo::usedLength)
                .sum();
    }
}
