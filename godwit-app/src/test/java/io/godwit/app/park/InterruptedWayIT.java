// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Relay;
import io.godwit.qemu.QemuProcess;
import io.godwit.qemu.QemuVersion;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ways on which a Godwit was killed, and what the next one takes for proof of where the VM is: nothing that another QEMU says, and nothing that it has not seen itself. */
@Timeout(180)
class InterruptedWayIT extends OnBench {

    /** Past the commit point; the destination is paused then. */
    private QemuProcess left(String... more) throws Exception {
        return left(false, more);
    }

    /** @param stopped its guest has run for a moment, and stands */
    private QemuProcess left(boolean stopped, String... more) throws Exception {
        bench.parked(bench.running(QemuVersion.V10_0.need()));
        QemuProcess destination = bench.awaiting(QemuVersion.V10_0);
        try (Relay _ = bench.slowRelay("to")) {
            Process unpark = bench.unparkThroughRelay(destination, more);
            bench.await(unpark, "\"event\":\"runs\"");
            bench.await(unpark, Bench.PAGES_FOLLOW);
            if (stopped) {
                destination.qmp("stop");
            }
            Bench.kill(unpark);
        }
        return destination;
    }

    /** Another one that failed to load something, as one does that was tried first, would be proof that the VM never came. */
    @Test
    void anotherQemuProvesNothingOfAVmThatLeaves() throws Exception {
        QemuProcess destination = left();
        QemuProcess other = bench.awaiting(QemuVersion.V10_0);

        assertThat(bench.code(bench.unpark(other))).as("%s", bench).isEqualTo(1);
        assertThat(bench.toString())
                .contains("the VM left for the QEMU at " + bench.unix("relay"))
                .contains("whose QMP is at " + destination.address())
                .contains("--qmp-peer is " + other.address())
                .contains("add --same-qemu");
        assertThat(bench.state()).isEqualTo("leaving");

        bench.arrived(destination);
        assertThat(bench.state()).isEqualTo("gone");
    }

    /** The one QMP socket has two names. */
    @Test
    void theSameQemuAtAnotherAddressIsTheOperatorsWord() throws Exception {
        QemuProcess destination = left();
        Path link = folder.resolve("other");
        Files.createSymbolicLink(link, Path.of(destination.address().toString().substring("unix:".length())));
        String[] words = {
            "unpark", bench.store.toString(), "--to", bench.unix("to"), "--qmp-peer", "unix:" + link,
        };

        assertThat(bench.code(bench.godwit(words))).as("%s", bench).isEqualTo(1);
        assertThat(bench.code(bench.godwit(Bench.words(new String[] {"--same-qemu"}, words))))
                .as("%s", bench)
                .isZero();
        assertThat(bench.damage(destination)).isEmpty();
        assertThat(bench.state()).isEqualTo("gone");
    }

    /** It did, and nobody who still lives has seen it: the next process must not think that what it left with is the last that there was. */
    @Test
    void aDestinationThatEndsLaterMayHaveRunBefore() throws Exception {
        QemuProcess destination = left(true);
        // The recovery never comes there.
        Process again = bench.unpark("nowhere", "to", destination);
        bench.await(again, "recovery 1");
        destination.kill();

        assertThat(bench.code(again)).as("%s", bench).isEqualTo(1);
        assertThat(bench.toString())
                .contains("its guest may have run before")
                .contains("the VM is lost as it ran at its destination");
        assertThat(bench.state()).isEqualTo("leaving");
    }

    @Test
    void aCopysWayGoesOnByTheSameCommand() throws Exception {
        QemuProcess destination = left("--clone");
        assertThat(bench.state()).isEqualTo("parked");

        bench.arrived(destination, "--clone");
        assertThat(bench.state()).isEqualTo("parked");
        bench.arrived(bench.awaiting(QemuVersion.V10_0), "--clone");
        bench.arrived(bench.awaiting(QemuVersion.V10_0));
        assertThat(bench.state()).isEqualTo("gone");
    }

    /** Its VM has left meanwhile: there is nothing here any more that may be sent. */
    @Test
    void aCopyOfAVmThatIsGoneDoesNotGoOn() throws Exception {
        QemuProcess copy = left("--clone");
        bench.arrived(bench.awaiting(QemuVersion.V10_0));
        assertThat(bench.state()).isEqualTo("gone");

        assertThat(bench.code(bench.unpark(copy, "--clone"))).as("%s", bench).isEqualTo(1);
        assertThat(bench.toString()).contains("is gone");
    }

    @Test
    void aWayThatIsNoCopysDoesNotBecomeOne() throws Exception {
        QemuProcess destination = left();

        assertThat(bench.code(bench.unpark(destination, "--clone")))
                .as("%s", bench)
                .isEqualTo(1);
        assertThat(bench.toString()).contains("not as a copy: leave --clone out");
        assertThat(bench.state()).isEqualTo("leaving");
        bench.arrived(destination);
    }

    /** A QEMU that says that its migration has failed, and runs a guest: of the VM's source that would mean that it has taken it back. */
    @Test
    void anotherQemuProvesNothingOfAVmThatIsComing() throws Exception {
        QemuProcess source = bench.running(QemuVersion.V10_0.need());
        Process park = bench.park(source, Bench.SLOW);
        bench.await(park, Bench.PAGES_FOLLOW);
        Bench.kill(park);
        QemuProcess other = bench.running(QemuVersion.V10_0);

        assertThat(bench.code(bench.park(other, Bench.SLOW))).as("%s", bench).isEqualTo(1);
        assertThat(bench.toString())
                .contains("the rest of the VM is at the QEMU that it comes from, whose QMP is at " + source.address())
                .contains("add --same-qemu");
        assertThat(bench.state()).isEqualTo("receiving-postcopy");

        QemuProcess larger =
                bench.start(QemuProcess.Recipe.of(QemuVersion.V10_0).memory(32 * Bench.MIB));
        assertThat(bench.code(bench.park(larger, "--same-qemu")))
                .as("%s", bench)
                .isEqualTo(1);
        assertThat(bench.toString())
                .contains("--qmp-peer is not the VM's source")
                .contains("32 MiB");
        assertThat(bench.state()).isEqualTo("receiving-postcopy");

        bench.fast(source);
        bench.parked(source);
    }
}
