// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.memory.Seeds;
import io.godwit.wire.StreamMessage;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** A destination given whatever may come, in any order: what it promises holds after every step, and a copy of it is the same machine. */
class DestinationWalkTest {
    private static final List<MigrationOptions> OPTIONS =
            List.of(DestinationDialogue.PRECOPY, DestinationDialogue.POSTCOPY, DestinationDialogue.ACKING);
    private static final StreamMessage OPEN = new StreamMessage.OpenReturnPath();
    private static final StreamMessage ALIVE = new StreamMessage.Ping(Wire.keepAlive(DestinationDialogue.NONCE));
    private static final List<StreamMessage> MESSAGES = List.of(
            OPEN,
            ALIVE,
            DestinationDialogue.advise(),
            DestinationDialogue.memory(),
            new StreamMessage.Ping(Wire.PING_OPENED),
            new StreamMessage.Ping(Wire.keepAlive(DestinationDialogue.NONCE + 1)),
            new StreamMessage.SectionPart(2),
            new StreamMessage.EndOfRecords(),
            new StreamMessage.PostcopyResume(),
            new StreamMessage.RamDiscard("a", List.of(new StreamMessage.Range(0, 4096))));

    private static DestinationInput input(Random random, DestinationMachine machine) {
        return switch (random.nextInt(14)) {
            case 0 -> new DestinationInput.Incoming();
            case 1 -> new DestinationInput.Pause();
            case 2 -> machine.recoverable() ? new DestinationInput.RecoveryOpened() : new DestinationInput.Tick(-1);
            case 3, 4 -> new DestinationInput.BitmapAsked(random.nextInt(2));
            case 5 -> new DestinationInput.Packaged(List.of(Wire.PING_LOADED));
            case 6 -> new DestinationInput.Ended(random.nextInt(2));
            case 7 -> new DestinationInput.NothingMissing();
            case 8 -> new DestinationInput.Broken(random.nextBoolean() ? Channel.MAIN : Channel.PREEMPT, "reset");
            case 9 -> new DestinationInput.Tick(-1);
            default -> new DestinationInput.Received(MESSAGES.get(random.nextInt(MESSAGES.size())));
        };
    }

    /** What a good peer, network and operator give next: without them no walk would come far. */
    private static DestinationInput good(Random random, DestinationMachine machine, boolean precopy) {
        return switch (machine.status()) {
            case NONE, FAILED -> new DestinationInput.Incoming();
            case SETUP -> new DestinationInput.MainOpened();
            case ACTIVE ->
                machine.pages() == PageRule.NONE
                        ? new DestinationInput.Received(MESSAGES.get(random.nextInt(precopy ? 2 : 4)))
                        : precopy
                                ? new DestinationInput.Ended(0)
                                : new DestinationInput.Packaged(List.of(Wire.PING_LOADED));
            case POSTCOPY_ACTIVE ->
                random.nextInt(3) == 0
                        ? new DestinationInput.Ended(random.nextInt(2))
                        : random.nextBoolean()
                                ? new DestinationInput.Received(ALIVE)
                                : new DestinationInput.NothingMissing();
            case POSTCOPY_PAUSED -> new DestinationInput.RecoveryOpened();
            case POSTCOPY_RECOVER, COMPLETED ->
                switch (random.nextInt(3)) {
                    case 0 -> new DestinationInput.BitmapAsked(0);
                    case 1 -> new DestinationInput.BitmapAsked(1);
                    default -> new DestinationInput.Received(new StreamMessage.PostcopyResume());
                };
            default -> throw new AssertionError("no status of a destination: " + machine.status());
        };
    }

    private static DestinationInput next(Random random, DestinationMachine machine, boolean precopy) {
        if (random.nextInt(5) == 0) {
            return input(random, machine);
        }
        DestinationInput good = good(random, machine, precopy);
        // The block list ends a precopy's preliminaries, whatever came before it.
        return precopy
                        && machine.status() == MigrationStatus.ACTIVE
                        && machine.pages() == PageRule.NONE
                        && random.nextInt(3) == 0
                ? new DestinationInput.Received(DestinationDialogue.memory())
                : good;
    }

    @Test
    void itsPromisesHoldWhateverComes() {
        Random random = new Random(Seeds.next());
        Set<MigrationStatus> seen = new HashSet<>();
        for (int walk = 0; walk < 3_000; walk++) {
            boolean precopy = walk % 4 == 0;
            DestinationDialogue real = new DestinationDialogue(OPTIONS.get(walk % OPTIONS.size()));
            real.machine.parameters(DestinationDialogue.PARAMETERS.withPeerMayBe72(random.nextBoolean()));
            DestinationDialogue copy = new DestinationDialogue(real.machine.copy(), 5_000_000_000L);
            for (int i = 0; i < 60; i++) {
                DestinationInput input = next(random, real.machine, precopy);
                if (real.machine.refuse(input) != null) {
                    continue;
                }
                long millis = random.nextInt(20) == 0 ? random.nextInt(20_000) : random.nextInt(50);
                MigrationStatus before = real.machine.status();
                boolean ran = real.machine.ran();
                boolean held = real.machine.held();

                List<String> said = real.after(millis).then(input).said();

                promises(before, ran, input, real.machine, said);
                heldPromises(held, input, real.machine, said);
                assertThat(copy.after(millis).then(input).said()).isEqualTo(said);
                assertThat(copy.machine.fingerprint(copy.now())).isEqualTo(real.machine.fingerprint(real.now()));
                if (random.nextInt(10) == 0) {
                    copy = new DestinationDialogue(copy.machine.copy(), copy.now());
                }
                seen.add(real.machine.status());
            }
        }
        assertThat(seen).as("where the walks have been").hasSize(8);
    }

    private static void promises(
            MigrationStatus before,
            boolean ran,
            DestinationInput input,
            DestinationMachine machine,
            List<String> said) {
        Supplier<String> step = () -> before + " " + input + " " + machine.state() + " " + said;
        MigrationStatus after = machine.status();
        boolean starts = said.contains("start-guest");
        assertThat(starts).as(step).isEqualTo(!ran && machine.ran());
        if (starts) {
            assertThat(said).as(step).containsOnlyOnce("start-guest").startsWith("load");
            assertThat(input instanceof DestinationInput.Packaged
                            || (input instanceof DestinationInput.Ended(long missing) && missing == 0))
                    .as(step)
                    .isTrue();
        }
        if (ran) {
            assertThat(said).as(step).doesNotContain("load", "reset-memory", "shut-1", "begin-postcopy");
            assertThat(after)
                    .as(step)
                    .isIn(
                            MigrationStatus.POSTCOPY_ACTIVE,
                            MigrationStatus.POSTCOPY_PAUSED,
                            MigrationStatus.POSTCOPY_RECOVER,
                            MigrationStatus.COMPLETED);
            assertThat(machine.neverRan()).as(step).isEqualTo(-1);
        }
        if (said.contains("shut-0")) {
            assertThat(after).as(step).isEqualTo(MigrationStatus.COMPLETED);
        }
        if (after == MigrationStatus.POSTCOPY_PAUSED) {
            assertThat(machine.recoverable()).as(step).isTrue();
            assertThat(machine.nextTick(-1)).as(step).isEqualTo(Long.MAX_VALUE);
        }
        if (after == MigrationStatus.POSTCOPY_RECOVER) {
            assertThat(machine.nextTick(-1)).as(step).isLessThan(Long.MAX_VALUE);
        }
        if (before == MigrationStatus.POSTCOPY_RECOVER
                && (input instanceof DestinationInput.Pause || input instanceof DestinationInput.Broken)) {
            assertThat(after).as(step).isEqualTo(MigrationStatus.POSTCOPY_PAUSED);
        }
        if (before == MigrationStatus.COMPLETED) {
            assertThat(after).as(step).isEqualTo(MigrationStatus.COMPLETED);
        }
        assertThat(said.stream().filter(word -> word.startsWith("=")).count() > 0)
                .as(step)
                .isEqualTo(before != after || revivedAndLost(said));
    }

    private static boolean revivedAndLost(List<String> said) {
        return said.size() > 2
                && (said.getFirst().equals("=postcopy-recover")
                        || said.getFirst().equals("=postcopy-active"))
                && said.getLast().equals("=postcopy-paused");
    }

    /** What is held is not closed by this side, and has no end of its own. */
    private static void heldPromises(
            boolean before, DestinationInput input, DestinationMachine machine, List<String> said) {
        Supplier<String> step = () -> input + " " + machine.state() + " " + said;
        if (machine.held()) {
            assertThat(said).as(step).doesNotContain("drop");
            assertThat(machine.nextTick(0)).as(step).isEqualTo(Long.MAX_VALUE);
        }
        if (before && !machine.held()) {
            assertThat(said).as(step).containsAnyOf("drop", "=postcopy-recover", "=postcopy-active");
        }
    }

    @Test
    void aCopyGoesItsOwnWay() {
        DestinationDialogue destination = new DestinationDialogue(DestinationDialogue.POSTCOPY).postcopy();
        DestinationMachine copy = destination.machine.copy();
        String before = copy.fingerprint(0);

        destination.broken().sourceReturns().asked(0);

        assertThat(copy.fingerprint(0)).isEqualTo(before).isNotEqualTo(destination.machine.fingerprint(0));
        assertThat(copy.error()).isNull();
        DestinationMachine recovering = destination.machine.copy();
        assertThat(recovering.fingerprint(7)).isEqualTo(destination.machine.fingerprint(7));
        assertThat(recovering.error()).isEqualTo(destination.machine.error());
        assertThat(recovering.nextTick(-1)).isEqualTo(destination.machine.nextTick(-1));
    }

    @Test
    void aFingerprintTellsApartWhatBehavesDifferently() {
        Set<String> prints = new HashSet<>();
        DestinationDialogue destination = new DestinationDialogue(DestinationDialogue.POSTCOPY);
        prints.add(destination.machine.fingerprint(0));
        prints.add(new DestinationMachine(DestinationDialogue.POSTCOPY, Parameters.DEFAULT).fingerprint(0));
        prints.add(destination.opened().machine.fingerprint(0));
        prints.add(destination.machine.fingerprint(1));
        prints.add(destination.received(OPEN).machine.fingerprint(0));
        prints.add(destination.ping().machine.fingerprint(0));
        prints.add(destination.received(DestinationDialogue.advise()).machine.fingerprint(0));
        prints.add(destination.received(DestinationDialogue.memory()).machine.fingerprint(0));
        prints.add(destination.packaged().machine.fingerprint(0));
        prints.add(destination.broken().sourceReturns().machine.fingerprint(0));
        prints.add(destination.asked(1).machine.fingerprint(0));

        assertThat(prints).hasSize(11);
    }
}
