// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import io.godwit.peer.MigrationTerms;
import io.godwit.peer.PeerException;
import io.godwit.peer.PeerVersion;
import io.godwit.peer.QemuDestination;
import io.godwit.peer.QemuSource;
import io.godwit.protocol.Capability;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What an operator had better know before a VM moves, though nothing forbids it. */
final class Advice {
    private Advice() {}

    /**
     * Before a park begins, in sentences.
     *
     * @param source null if it is driven by hand
     */
    static List<String> before(MigrationTerms terms, @Nullable QemuSource source) throws PeerException {
        List<String> all = new ArrayList<>();
        // It connects anew in each recovery, and a source may come to harm there.
        if (terms.capabilities().contains(Capability.POSTCOPY_PREEMPT)) {
            all.add(
                    "postcopy-preempt brings a park nothing, since nobody here asks for a page, and a QEMU 10.0 or 11.1 may end its own process if a recovery is cut while that channel connects"
                            + " (docs/compatibility.md): better leave it off");
        }
        // Seen with tcg: after a migration that was cut short, the next one of a 7.2 may bring pages as they were
        // earlier, also to another QEMU; 10.0 and 11.1 did not.
        if (source != null
                && source.peer().identity().version().mayBe72()
                && source.peer().state().is("failed", "cancelled")) {
            all.add("a migration of this QEMU " + source.peer().identity().version()
                    + " has failed before: one of this age may send stale pages in the next (seen with 7.2 and tcg); if you can,"
                    + " have the guest look at its memory once it runs, or shut it down and start it again instead");
        }
        return all;
    }

    /**
     * Before an unpark begins, in sentences.
     *
     * @param listen where the destination is told to listen, at first and for each recovery
     */
    static List<String> before(MigrationTerms terms, MigrationAddress listen, QemuDestination destination) {
        PeerVersion version = destination.peer().identity().version();
        // With TLS it takes nobody for a recovery before his handshake is through.
        return terms.capabilities().contains(Capability.POSTCOPY_RAM)
                        && !terms.tls()
                        && listen instanceof Address.Tcp
                        && version.mayLoseItsGuestToAStranger()
                ? List.of("a QEMU " + version
                        + " loses its guest if, while it waits for a recovery, somebody connects and goes away without a word (a health check, a port scan): let nobody else reach "
                        + listen + ", or use TLS, with which that does no harm (docs/compatibility.md)")
                : List.of();
    }
}
