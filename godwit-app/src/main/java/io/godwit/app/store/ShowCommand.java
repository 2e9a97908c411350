// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import io.godwit.app.term.Table;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.page.Pages;
import io.godwit.store.Arrival;
import io.godwit.store.Manifest;
import io.godwit.store.VmSummary;
import io.godwit.sys.ByteSizes;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code godwit store show}. */
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Shows a VM: who may run it, what machine it is, its memory; also while another process uses it.")
final class ShowCommand implements Callable<Integer> {
    @Mixin
    private Vms vms;

    @Parameters(paramLabel = "VM", description = "A name below the root, or a path.")
    private String vm;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    ShowCommand() {}

    @Override
    public Integer call() {
        return vms.guarded(() -> {
            VmSummary summary = VmSummary.read(vms.disk(), vms.folder(vm));
            if (json) {
                vms.out().println(shown(summary));
            } else {
                print(summary, vms.out());
            }
            return 0;
        });
    }

    private static void print(VmSummary summary, PrintWriter out) {
        Manifest manifest = summary.manifest();
        Arrival arrival = manifest.arrival();
        out.println(summary.folder());
        line(out, "state", manifest.state().word() + " since " + Shown.time(manifest.changed()));
        line(out, "", Shown.meaning(manifest));
        line(
                out,
                "machine",
                arrival.machine()
                        + (arrival.qemuVersion() == null ? "" : ", from QEMU " + arrival.qemuVersion())
                        + (arrival.uuid() == null ? "" : ", UUID " + arrival.uuid()));
        line(out, "guest was", manifest.runState() == null ? "(not known yet)" : manifest.runState());
        line(
                out,
                "memory",
                ByteSizes.show(summary.ramBytes()) + ", of which " + ByteSizes.show(summary.durableBytes())
                        + " are here and " + ByteSizes.show(summary.dataBytes()) + " take room on disk");
        line(
                out,
                "devices",
                summary.deviceBytes() < 0 ? "none yet, or damaged" : ByteSizes.show(summary.deviceBytes()));
        if (manifest.clones() > 0) {
            line(out, "clones", Integer.toString(manifest.clones()));
        }
        out.println();
        Table table = new Table("BLOCK", "SIZE", "HERE", "ON DISK");
        for (VmSummary.Block block : summary.blocks()) {
            table.row(
                    block.info().name(),
                    ByteSizes.show(block.info().usedLength()),
                    ByteSizes.show(block.durablePages() << Pages.SHIFT),
                    ByteSizes.show(block.dataPages() << Pages.SHIFT));
        }
        out.print(table);
        out.flush();
    }

    private static void line(PrintWriter out, String what, String value) {
        out.printf("%-10s %s%n", what, value);
    }

    private static Json shown(VmSummary summary) {
        return JsonObject.builder()
                .put("folder", summary.folder().toString())
                .putAll(Shown.manifest(summary.manifest()))
                .put("ram", summary.ramBytes())
                .put("durable", summary.durableBytes())
                .put("data", summary.dataBytes())
                .put("devices", summary.deviceBytes())
                .put(
                        "blocks",
                        new JsonArray(summary.blocks().stream()
                                .<Json>map(block -> JsonObject.builder()
                                        .put("name", block.info().name())
                                        .put("size", block.info().usedLength())
                                        .put("durable", block.durablePages() << Pages.SHIFT)
                                        .put("data", block.dataPages() << Pages.SHIFT)
                                        .build())
                                .toList()))
                .build();
    }
}
