// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.memory.Seeds;
import io.godwit.page.PageBitmap;
import io.godwit.protocol.SourceState.AwaitingShut;
import io.godwit.protocol.SourceState.Flushing;
import io.godwit.protocol.SourceState.Held;
import io.godwit.protocol.SourceState.Paused;
import io.godwit.protocol.SourceState.Recover;
import io.godwit.protocol.SourceState.RecoverSetup;
import io.godwit.protocol.SourceState.Setup;
import io.godwit.protocol.SourceState.Uncertain;
import io.godwit.wire.ReturnPathMessage;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** A source given whatever may come, in any order: what it promises holds after every step, and a copy of it is the same machine. */
class SourceWalkTest {
    private static final List<MigrationOptions> OPTIONS = List.of(
            SourceDialogue.PRECOPY,
            SourceDialogue.POSTCOPY,
            SourceDialogue.PREEMPT,
            SourceDialogue.HOLDING,
            SourceDialogue.ACKED,
            SourceDialogue.ONE_WAY);
    private static final List<SourceInput.Mark> MARKS = List.of(SourceInput.Mark.values());
    private static final PageBitmap BITMAP = new PageBitmap(1);

    private static SourceInput input(Random random) {
        return switch (random.nextInt(24)) {
            case 0 -> new SourceInput.Migrate();
            case 1 -> new SourceInput.Resume();
            case 2 -> new SourceInput.StartPostcopy();
            case 3 -> new SourceInput.Continue();
            case 4 -> random.nextInt(4) == 0 ? new SourceInput.Pause() : new SourceInput.Tick();
            case 5 -> random.nextInt(8) == 0 ? new SourceInput.Cancel() : new SourceInput.Tick();
            case 6 ->
                switch (random.nextInt(4)) {
                    case 0 -> new SourceInput.ResolveHere();
                    case 1 -> new SourceInput.ResolveWhole(random.nextInt(2));
                    default -> new SourceInput.ResolveThere();
                };
            case 7, 8 -> new SourceInput.Connected(random.nextBoolean() ? Channel.MAIN : Channel.PREEMPT);
            case 9 ->
                random.nextInt(6) == 0
                        ? new SourceInput.Broken(random.nextBoolean() ? Channel.MAIN : Channel.PREEMPT, "reset")
                        : new SourceInput.Resume();
            case 10, 11 -> new SourceInput.GuestStopped();
            case 12 -> new SourceInput.Estimate(random.nextBoolean() ? 0 : 1L << 40, 1e6);
            case 13 -> new SourceInput.NothingLeft();
            case 14, 15 -> new SourceInput.Written(MARKS.get(random.nextInt(3)));
            case 16 -> new SourceInput.Tick();
            default -> new SourceInput.Received(message(random));
        };
    }

    private static ReturnPathMessage message(Random random) {
        return switch (random.nextInt(9)) {
            case 0 -> new ReturnPathMessage.Shut(random.nextInt(2));
            case 1 -> new ReturnPathMessage.Shut(Wire.neverRan(SourceDialogue.NONCE));
            case 2 -> new ReturnPathMessage.ReqPages(0, 4096);
            case 3 -> new ReturnPathMessage.RecvBitmap(random.nextInt(2), BITMAP);
            case 4 -> new ReturnPathMessage.ResumeAck(random.nextInt(2));
            case 5 -> new ReturnPathMessage.SwitchoverAck();
            case 6, 7 -> new ReturnPathMessage.Pong(Wire.PING_LOADED);
            default -> new ReturnPathMessage.Pong(Wire.keepAlive(SourceDialogue.NONCE));
        };
    }

    /** What a good peer, network and operator give next: without them no walk would come far. */
    private static SourceInput good(Random random, SourceMachine machine) {
        return switch (machine.state()) {
            case SourceState.Idle _, SourceState.Failed _, SourceState.Cancelled _ -> new SourceInput.Migrate();
            case Setup _, RecoverSetup _ -> new SourceInput.Connected(Channel.MAIN);
            case SourceState.Active _ ->
                switch (random.nextInt(5)) {
                    case 0 -> new SourceInput.StartPostcopy();
                    case 1 -> new SourceInput.Connected(Channel.PREEMPT);
                    case 2 -> new SourceInput.Received(new ReturnPathMessage.SwitchoverAck());
                    case 3 -> new SourceInput.Estimate(0, 0);
                    default ->
                        new SourceInput.Received(new ReturnPathMessage.Pong(Wire.keepAlive(SourceDialogue.NONCE)));
                };
            case SourceState.Stopping _ -> new SourceInput.GuestStopped();
            case SourceState.PreSwitchover _ -> new SourceInput.Continue();
            case Flushing(boolean _, boolean closing) ->
                closing ? new SourceInput.Written(SourceInput.Mark.COMMIT) : new SourceInput.NothingLeft();
            case AwaitingShut _ ->
                machine.options().returnPath()
                        ? new SourceInput.Received(new ReturnPathMessage.Shut(Wire.SHUT_OK))
                        : new SourceInput.Written(SourceInput.Mark.END);
            case SourceState.PostcopyActive(boolean proven, boolean ended) ->
                ended
                        ? new SourceInput.Received(new ReturnPathMessage.Shut(Wire.SHUT_OK))
                        : proven
                                ? new SourceInput.NothingLeft()
                                : new SourceInput.Received(new ReturnPathMessage.Pong(Wire.PING_LOADED));
            case Paused _, Uncertain _ -> new SourceInput.Resume();
            case Held _ -> new SourceInput.Revived();
            case Recover recover ->
                recover.resumeSent()
                        ? new SourceInput.Received(new ReturnPathMessage.ResumeAck(1))
                        : recover.missing().isEmpty()
                                ? new SourceInput.Connected(Channel.PREEMPT)
                                : new SourceInput.Received(new ReturnPathMessage.RecvBitmap(
                                        recover.missing().nextSetBit(0), BITMAP));
            case SourceState.Completed _ -> new SourceInput.Tick();
        };
    }

    /** Whether whoever drives a machine can give it that input: it connects what was asked for, operators were not refused. */
    private static boolean may(SourceInput input, SourceMachine machine) {
        return machine.refuse(input) == null
                && (!(input instanceof SourceInput.Connected(Channel channel) && channel == Channel.MAIN)
                        || machine.state() instanceof Setup
                        || machine.state() instanceof RecoverSetup);
    }

    private static List<SourceEffect> step(SourceMachine machine, SourceInput input, long now) {
        List<SourceEffect> effects = new ArrayList<>();
        machine.handle(input, now, effects::add);
        return effects;
    }

    @Test
    void itsPromisesHoldWhateverComes() {
        Random random = new Random(Seeds.next());
        Set<MigrationStatus> seen = new HashSet<>();
        for (int walk = 0; walk < 1_500; walk++) {
            SourceMachine machine = new SourceMachine(
                    OPTIONS.get(walk % OPTIONS.size()),
                    SourceDialogue.PARAMETERS.withPeerMayBe72(random.nextBoolean()));
            SourceMachine copy = machine.copy();
            long now = random.nextLong(1_000_000_000_000L);
            long shift = random.nextLong(1_000_000_000_000L);
            for (int i = 0; i < 100; i++) {
                SourceInput input = random.nextInt(4) != 0 ? good(random, machine) : input(random);
                if (!may(input, machine)) {
                    continue;
                }
                now += random.nextLong(random.nextInt(20) == 0 ? 20_000_000_000L : 50_000_000L);
                SourceState before = machine.state();
                boolean committed = machine.committed();

                List<SourceEffect> effects = step(machine, input, now);

                promises(before, committed, input, machine, effects);
                assertThat(step(copy, input, now + shift)).isEqualTo(effects);
                assertThat(copy.fingerprint(now + shift)).isEqualTo(machine.fingerprint(now));
                if (random.nextInt(10) == 0) {
                    copy = copy.copy();
                }
                seen.add(machine.status());
            }
        }
        assertThat(seen)
                .as("cancelling is passed through, all others are places to be")
                .hasSize(MigrationStatus.values().length - 1);
    }

    private static void promises(
            SourceState before,
            boolean committed,
            SourceInput input,
            SourceMachine machine,
            List<SourceEffect> effects) {
        SourceState after = machine.state();
        Supplier<String> step = () -> before + " " + input + " " + after + " " + effects;
        boolean byWord = input instanceof SourceInput.ResolveHere;
        if (committed && !byWord) {
            assertThat(effects).as(step).doesNotContain(new SourceEffect.ResumeGuest());
            assertThat(machine.committed()).as(step).isTrue();
        }
        if (!committed && machine.committed()) {
            assertThat(input).as(step).isEqualTo(new SourceInput.Written(SourceInput.Mark.COMMIT));
            assertThat(before).as(step).isInstanceOf(Flushing.class);
        }
        if (before.holdsGuestData() && !after.holdsGuestData()) {
            // It is let go only with a word for it: of the destination, or of an operator.
            assertThat(input instanceof SourceInput.ResolveThere
                            || input instanceof SourceInput.ResolveWhole
                            || byWord
                            || input.equals(new SourceInput.Received(new ReturnPathMessage.Shut(Wire.SHUT_OK)))
                            || !machine.options().returnPath())
                    .as(step)
                    .isTrue();
        } else if (after.holdsGuestData()) {
            assertThat(effects).as(step).doesNotContain(new SourceEffect.Forget());
        }
        assertThat(after.over())
                .as(step)
                .isEqualTo(after instanceof SourceState.Completed
                        || machine.refuse(new SourceInput.Migrate(false)) == null);
        boolean waits = after instanceof Setup
                || after instanceof RecoverSetup
                || after instanceof Recover
                || after instanceof Flushing
                || (after instanceof AwaitingShut && machine.options().returnPath());
        if (waits) {
            // No wait without an end.
            assertThat(machine.nextTick()).as(step).isLessThan(Long.MAX_VALUE);
        }
        if (after instanceof Paused || after instanceof Uncertain) {
            assertThat(machine.nextTick()).as(step).isEqualTo(Long.MAX_VALUE);
            assertThat(machine.refuse(new SourceInput.Resume())).as(step).isNull();
        }
        if (after instanceof Held) {
            heldPromises(before, input, machine, effects, step);
        }
        if (before instanceof Held && !(after instanceof Held) && !(after instanceof Recover)) {
            assertThat(effects).as(step).contains(dropped(effects));
        }
        if (before instanceof Recover || before instanceof RecoverSetup) {
            handshakePromises(before, input, after, step);
        }
        statuses(before, after, effects, step);
    }

    /** What is held is not closed, has no end of its own, and an operator is told so. */
    private static void heldPromises(
            SourceState before,
            SourceInput input,
            SourceMachine machine,
            List<SourceEffect> effects,
            Supplier<String> step) {
        assertThat(machine.held()).as(step).isTrue();
        assertThat(effects.stream().filter(SourceEffect.DropChannels.class::isInstance))
                .as(step)
                .isEmpty();
        assertThat(machine.nextTick()).as(step).isEqualTo(Long.MAX_VALUE);
        assertThat(machine.refuse(new SourceInput.Resume())).as(step).contains("held");
        if (!(before instanceof Held)) {
            assertThat(before).as(step).isInstanceOf(Recover.class);
            assertThat(input instanceof SourceInput.Pause || input instanceof SourceInput.Tick)
                    .as(step)
                    .isTrue();
        }
    }

    private static SourceEffect dropped(List<SourceEffect> effects) {
        return effects.stream()
                .filter(SourceEffect.DropChannels.class::isInstance)
                .findFirst()
                .orElse(new SourceEffect.DropChannels("was to be dropped"));
    }

    /** A handshake goes on, ends well or falls back; an operator and a broken channel end it at once. */
    private static void handshakePromises(
            SourceState before, SourceInput input, SourceState after, Supplier<String> step) {
        boolean mainGone = input instanceof SourceInput.Broken(Channel channel, String _) && channel == Channel.MAIN;
        if (input instanceof SourceInput.Pause || mainGone) {
            assertThat(after.status()).as(step).isIn(MigrationStatus.POSTCOPY_PAUSED, MigrationStatus.UNCERTAIN);
        } else if (after.status() != before.status()) {
            assertThat(after.status())
                    .as(step)
                    .isIn(
                            MigrationStatus.POSTCOPY_RECOVER,
                            MigrationStatus.POSTCOPY_ACTIVE,
                            MigrationStatus.POSTCOPY_PAUSED,
                            MigrationStatus.UNCERTAIN);
        }
    }

    /** The status words told are a chain from the old state to the new one. */
    private static void statuses(
            SourceState before, SourceState after, List<SourceEffect> effects, Supplier<String> step) {
        MigrationStatus at = before.status();
        for (SourceEffect effect : effects) {
            if (effect instanceof SourceEffect.StatusChanged(MigrationStatus from, MigrationStatus to, String reason)) {
                assertThat(from).as(step).isEqualTo(at).isNotEqualTo(to);
                assertThat(reason).as(step).isNotBlank();
                at = to;
            }
        }
        assertThat(at).as(step).isEqualTo(after.status());
    }

    @Test
    void aCopyGoesItsOwnWay() {
        SourceDialogue source =
                new SourceDialogue(SourceDialogue.POSTCOPY).active().switched();
        SourceMachine copy = source.machine.copy();
        String before = copy.fingerprint(0);

        source.proven().broken().then(new SourceInput.Resume());

        assertThat(copy.fingerprint(0)).isEqualTo(before).isNotEqualTo(source.machine.fingerprint(0));
        assertThat(copy.error()).isNull();
        SourceMachine recovering = source.machine.copy();
        assertThat(recovering.fingerprint(7)).isEqualTo(source.machine.fingerprint(7));
        assertThat(recovering.nextTick()).isEqualTo(source.machine.nextTick());
    }

    @Test
    void aFingerprintTellsApartWhatBehavesDifferently() {
        Set<String> prints = new HashSet<>();
        for (MigrationOptions options : OPTIONS) {
            prints.add(new SourceMachine(options, SourceDialogue.PARAMETERS).fingerprint(0));
        }
        prints.add(new SourceMachine(SourceDialogue.POSTCOPY, Parameters.DEFAULT).fingerprint(0));
        SourceDialogue source = new SourceDialogue(SourceDialogue.PREEMPT)
                .then(new SourceInput.Migrate())
                .connected();
        prints.add(source.machine.fingerprint(0));
        prints.add(source.machine.fingerprint(1));
        prints.add(source.then(new SourceInput.StartPostcopy()).machine.fingerprint(0));
        prints.add(source.received(new ReturnPathMessage.Pong(1)).machine.fingerprint(0));
        prints.add(source.pong().machine.fingerprint(0));
        prints.add(
                source.received(new ReturnPathMessage.SwitchoverAck()).machine.fingerprint(0));
        prints.add(
                source.then(new SourceInput.Connected(Channel.PREEMPT)).machine.fingerprint(0));
        prints.add(source.then(new SourceInput.Tick()).machine.fingerprint(0));

        assertThat(prints).hasSize(15);
    }
}
