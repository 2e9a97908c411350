// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.vm.Emulator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Which QEMU runs the guest, and how.
 *
 * @param accelerators to be tried, in this order
 */
record Virtualization(Emulator emulator, List<String> accelerators) {
    private static final Path KVM = Path.of("/dev/kvm");

    Virtualization {
        accelerators = List.copyOf(accelerators);
    }

    /** What the user chose. */
    enum Accelerator {
        AUTO,
        KVM,
        TCG;

        List<String> toTry() {
            return switch (this) {
                case KVM -> List.of("kvm");
                case TCG -> List.of("tcg");
                case AUTO ->
                    Files.isReadable(Virtualization.KVM) && Files.isWritable(Virtualization.KVM)
                            ? List.of("kvm", "tcg")
                            : List.of("tcg");
            };
        }
    }
}
