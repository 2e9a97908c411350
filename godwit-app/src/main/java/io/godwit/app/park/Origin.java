// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.peer.PeerIdentity;
import io.godwit.peer.PeerVersion;
import io.godwit.store.Arrival;
import io.godwit.store.Manifest;
import io.godwit.store.RawExport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a parked VM asks of the QEMU that shall run it, as far as its manifest says. */
final class Origin {
    private static final Pattern VERSION = Pattern.compile("([0-9]{1,6})\\.([0-9]{1,6})\\.([0-9]{1,6})");

    private Origin() {}

    /** What the manifest does not say is taken from the place itself, so that it is no obstacle: QEMU's own checks remain. */
    static PeerIdentity of(Manifest manifest, PeerIdentity place) {
        Arrival arrival = manifest.arrival();
        return new PeerIdentity(
                version(arrival.qemuVersion(), place.version()),
                arrival.machine(),
                memory(arrival, place.memoryBytes()),
                arrival.uuid() == null ? PeerIdentity.NO_UUID : arrival.uuid().toString());
    }

    /** Why a VM that has come in part cannot be the one of that QEMU, as a sentence, or null. */
    static @Nullable String whyNotFrom(Manifest manifest, PeerIdentity source) {
        PeerIdentity here = of(manifest, source);
        boolean same = here.machine().equals(source.machine())
                && here.memoryBytes() == source.memoryBytes()
                && (here.uuid().equals(source.uuid())
                        || here.uuid().equals(PeerIdentity.NO_UUID)
                        || source.uuid().equals(PeerIdentity.NO_UUID));
        return same
                ? null
                : "--qmp-peer is not the VM's source: what has come is of " + here + ", and that is " + source
                        + "; name the QEMU that the VM comes from";
    }

    private static PeerVersion version(@Nullable String said, PeerVersion otherwise) {
        Matcher numbers = VERSION.matcher(said == null ? "" : said);
        return numbers.matches()
                ? new PeerVersion(
                        Integer.parseInt(numbers.group(1)),
                        Integer.parseInt(numbers.group(2)),
                        Integer.parseInt(numbers.group(3)),
                        "")
                : otherwise;
    }

    /** The largest block is the machine's memory, unless there are memory devices or nodes: then only QEMU can add up. */
    private static long memory(Arrival arrival, long otherwise) {
        boolean several = arrival.blocks().stream()
                .map(BlockInfo::name)
                .anyMatch(name -> name.startsWith("/objects/") || name.startsWith("ram-node"));
        BlockTable table = new BlockTable(arrival.blocks());
        return several ? otherwise : table.get(RawExport.mainBlock(table)).usedLength();
    }
}
