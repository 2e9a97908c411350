// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.End;
import io.godwit.app.lab.LabFailed;
import io.godwit.app.lab.VmMemory;
import io.godwit.guest.BootSector;
import io.godwit.json.Json;
import io.godwit.store.OsDisk;
import io.godwit.store.RawExport;
import io.godwit.store.StoreSource;
import io.godwit.store.VmStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import org.jspecify.annotations.Nullable;

/**
 * The memory of a machine that is parked and unparked, and what must be so of it.
 *
 * @param folder for what is read of it
 * @param store where it is parked
 * @param sector what a QEMU's machine has booted; null if it is a Godwit's guest, which looks at itself
 */
record ParkedMemory(
        End machine, Path folder, Path store, @Nullable BootSector sector) {
    /** Judges a stopped machine where it arrived. */
    void judge() throws LabFailed, IOException, RoundFailed {
        if (sector == null) {
            var stats = machine.query("x-godwit-guest-stats");
            Proof.judge(machine.query("x-godwit-guest-verify"), stats);
        } else {
            Proof.judge(of(sector).verify(), Json.object());
        }
    }

    /**
     * Compares what a QEMU that has sent its machine still has of it with what is in the folder, which no process has. Of Godwit's guest nothing is compared before its end.
     *
     * @throws RoundFailed if a page differs, or the source's own is not right
     */
    void judgeParked() throws LabFailed, IOException, RoundFailed {
        if (sector == null) {
            return;
        }
        Proof.judge(of(sector).verify(), Json.object());
        Path image = folder.resolve("parked");
        try (VmStore parked = VmStore.openExisting(new OsDisk(), store, Clock.systemUTC(), "godwit");
                StoreSource source = parked.source()) {
            RawExport.write(source, RawExport.mainBlock(source.blocks()), new OsDisk(), image, _ -> {});
        }
        String difference = of(sector).difference(image);
        Files.delete(image);
        if (difference != null) {
            throw new RoundFailed(
                    Result.Verdict.LOST, "what is parked is not what the source has, which stopped: " + difference);
        }
    }

    /** How often a QEMU's guest has counted its last page, mod 256; it may run. Of Godwit's guest: how many pages it has written. */
    long progress() throws LabFailed, IOException {
        return sector == null
                ? machine.query("x-godwit-guest-stats").int64("pages-written")
                : of(sector).last();
    }

    private VmMemory of(BootSector guest) {
        return new VmMemory(machine, folder, guest);
    }
}
