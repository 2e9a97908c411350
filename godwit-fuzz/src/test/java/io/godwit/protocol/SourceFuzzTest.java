// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Choices;
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
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A source given what the fuzzer chooses: what it promises holds after every step. */
class SourceFuzzTest {
    private static final int NONCE = 0x1234;
    private static final int MAX_STEPS = 2_000;
    private static final long MILLIS = 1_000_000;
    private static final Parameters PARAMETERS = new Parameters(0, 0, 300, 0, 10_000, 7_000, 1_000);
    private static final List<SourceInput.Mark> MARKS = List.of(SourceInput.Mark.values());
    private static final List<Channel> CHANNELS = List.of(Channel.values());
    private static final List<SourceState.Lost> LOST = List.of(SourceState.Lost.values());
    private static final PageBitmap BITMAP = new PageBitmap(1);

    /** The first two bytes choose the options and the peer; then come steps of an input, its detail, and the time that passes. */
    @FuzzTest
    void source(byte[] bytes) {
        Choices choices = new Choices(bytes);
        int bits = choices.next(32);
        boolean postcopy = (bits & 1) != 0;
        MigrationOptions options = new MigrationOptions(
                (bits & 2) != 0, postcopy, postcopy && (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0, 2, NONCE);
        int start = choices.next(8);
        Parameters parameters = PARAMETERS.withPeerMayBe72((start & 1) != 0);
        SourceMachine machine = (start & 6) == 6
                ? SourceMachine.interrupted(options, parameters, LOST.get(choices.next(LOST.size())))
                : new SourceMachine(options, parameters);
        SourceMachine copy = machine.copy();
        long now = 0;
        for (int step = 0; step < MAX_STEPS && choices.left(); step++) {
            SourceInput input = input(choices);
            now += choices.chance() ? choices.next(100) * 200L * MILLIS : MILLIS;
            if (!may(input, machine)) {
                continue;
            }
            SourceState before = machine.state();
            boolean committed = machine.committed();
            List<SourceEffect> effects = new ArrayList<>();
            machine.handle(input, now, effects::add);
            String broken = broken(before, committed, input, machine, effects);
            if (broken != null) {
                throw new AssertionError(broken + ": " + before + " " + input + " " + machine.state() + " " + effects);
            }
            List<SourceEffect> again = new ArrayList<>();
            copy.handle(input, now, again::add);
            if (!again.equals(effects) || !copy.fingerprint(now).equals(machine.fingerprint(now))) {
                throw new AssertionError("a copy does " + again + " where the machine does " + effects);
            }
            copy = machine.copy();
        }
    }

    private static SourceInput input(Choices choices) {
        return switch (choices.next(24)) {
            case 0 -> new SourceInput.Migrate(choices.chance());
            case 1, 2 -> new SourceInput.Resume();
            case 3 -> new SourceInput.StartPostcopy();
            case 4 -> new SourceInput.Continue();
            case 5 -> new SourceInput.Pause();
            case 6 -> new SourceInput.Cancel();
            case 7 -> new SourceInput.ResolveHere();
            case 8 -> new SourceInput.ResolveThere();
            case 9 -> new SourceInput.ResolveWhole(choices.next(2));
            case 10 -> new SourceInput.Revived();
            case 11, 12 -> new SourceInput.Connected(CHANNELS.get(choices.next(2)));
            case 13 -> new SourceInput.Broken(CHANNELS.get(choices.next(CHANNELS.size())), "reset");
            case 14 -> new SourceInput.GuestStopped();
            case 15 -> new SourceInput.StopFailed("the disk is full");
            case 16 -> new SourceInput.StorageFailed("the disk is full");
            case 17 -> new SourceInput.Estimate(choices.chance() ? 0 : 1L << 40, 1e6);
            case 18 -> new SourceInput.NothingLeft();
            case 19 -> new SourceInput.Written(MARKS.get(choices.next(MARKS.size())));
            case 20 -> new SourceInput.Tick();
            default -> new SourceInput.Received(message(choices));
        };
    }

    private static ReturnPathMessage message(Choices choices) {
        return switch (choices.next(10)) {
            case 0 -> new ReturnPathMessage.Shut(choices.next(2));
            case 1 -> new ReturnPathMessage.Shut(Wire.neverRan(NONCE + choices.next(2)));
            case 2 -> new ReturnPathMessage.ReqPages(0, 4096);
            case 3, 4 -> new ReturnPathMessage.RecvBitmap(choices.next(2), BITMAP);
            case 5 -> new ReturnPathMessage.ResumeAck(choices.next(2));
            case 6 -> new ReturnPathMessage.SwitchoverAck();
            case 7 -> new ReturnPathMessage.Pong(Wire.keepAlive(NONCE));
            default -> new ReturnPathMessage.Pong(choices.next(5));
        };
    }

    /** Whether whoever drives a machine can give it that input: it connects what was asked for, what was not stopped did not stop. */
    private static boolean may(SourceInput input, SourceMachine machine) {
        SourceState state = machine.state();
        return machine.refuse(input) == null
                && (!input.equals(new SourceInput.Connected(Channel.MAIN))
                        || state instanceof Setup
                        || state instanceof RecoverSetup)
                && (!(input instanceof SourceInput.Revived) || machine.held());
    }

    /** The promise that is broken, or null. */
    private static @Nullable String broken(
            SourceState before,
            boolean committed,
            SourceInput input,
            SourceMachine machine,
            List<SourceEffect> effects) {
        SourceState after = machine.state();
        boolean here = input instanceof SourceInput.ResolveHere;
        if (committed && !here && (effects.contains(new SourceEffect.ResumeGuest()) || !machine.committed())) {
            return "past the commit point the guest is taken back without a word";
        }
        if (!committed && machine.committed() && !(before instanceof Flushing)) {
            return "committed without the commit's bytes";
        }
        if (before.holdsGuestData() && !after.holdsGuestData() && !word(input, machine)) {
            return "memory is let go without a word";
        }
        if (after.holdsGuestData() && effects.contains(new SourceEffect.Forget())) {
            return "memory is forgotten that is still held";
        }
        if (waits(machine) && machine.nextTick() == Long.MAX_VALUE) {
            return "a wait without a deadline";
        }
        if ((after instanceof Paused || after instanceof Uncertain)
                && machine.refuse(new SourceInput.Resume()) != null) {
            return "no recovery out of a paused state";
        }
        if (after instanceof Held && effects.stream().anyMatch(SourceEffect.DropChannels.class::isInstance)) {
            return "a channel is dropped that is held";
        }
        return statuses(before, after, effects);
    }

    private static boolean word(SourceInput input, SourceMachine machine) {
        return input instanceof SourceInput.ResolveHere
                || input instanceof SourceInput.ResolveThere
                || input instanceof SourceInput.ResolveWhole
                || input.equals(new SourceInput.Received(new ReturnPathMessage.Shut(Wire.SHUT_OK)))
                || !machine.options().returnPath();
    }

    private static boolean waits(SourceMachine machine) {
        SourceState state = machine.state();
        return state instanceof Setup
                || state instanceof RecoverSetup
                || state instanceof Recover
                || state instanceof Flushing
                || (state instanceof AwaitingShut && machine.options().returnPath());
    }

    /** The status words that are told are a chain from the old state to the new one. */
    private static @Nullable String statuses(SourceState before, SourceState after, List<SourceEffect> effects) {
        MigrationStatus at = before.status();
        for (SourceEffect effect : effects) {
            if (effect instanceof SourceEffect.StatusChanged(MigrationStatus from, MigrationStatus to, String reason)) {
                if (from != at || to == from || reason.isBlank()) {
                    return "a status that does not follow from the one before";
                }
                at = to;
            }
        }
        return at == after.status() ? null : "a change of status that nobody is told";
    }
}
