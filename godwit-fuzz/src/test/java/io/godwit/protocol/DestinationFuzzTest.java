// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Choices;
import io.godwit.page.BlockInfo;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamMessage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A destination given what the fuzzer chooses: what it promises holds after every step. */
class DestinationFuzzTest {
    private static final int NONCE = 0x1234;
    private static final int MAX_STEPS = 2_000;
    private static final long MILLIS = 1_000_000;
    private static final Parameters PARAMETERS = new Parameters(0, 0, 300, 0, 10_000, 7_000, 1_000);
    private static final List<Channel> CHANNELS = List.of(Channel.values());
    private static final List<StreamMessage> MESSAGES = List.of(
            new StreamMessage.OpenReturnPath(),
            new StreamMessage.Ping(Wire.keepAlive(NONCE)),
            new StreamMessage.PostcopyAdvise(4096, 4096),
            StreamMessage.MemSize.of(List.of(BlockInfo.of("a", 4096), BlockInfo.of("b", 4096))),
            new StreamMessage.Ping(Wire.PING_OPENED),
            new StreamMessage.Ping(Wire.keepAlive(NONCE + 1)),
            new StreamMessage.SectionPart(2),
            new StreamMessage.EndOfRecords(),
            new StreamMessage.PostcopyResume(),
            new StreamMessage.RamDiscard("a", List.of(new StreamMessage.Range(0, 4096))));

    /** The first two bytes choose the options and the beginning; then come steps of an input, its detail, and the time that passes. */
    @FuzzTest
    void destination(byte[] bytes) {
        Choices choices = new Choices(bytes);
        int bits = choices.next(8);
        boolean postcopy = (bits & 1) != 0;
        MigrationOptions options = new MigrationOptions((bits & 2) != 0, postcopy, false, false, (bits & 4) != 0, 2, 0);
        int start = choices.next(8);
        Parameters parameters = PARAMETERS.withPeerMayBe72((start & 1) != 0);
        DestinationMachine machine = (start & 6) == 6
                ? DestinationMachine.interrupted(options, parameters, 2, choices.chance())
                : new DestinationMachine(options, parameters);
        DestinationMachine copy = machine.copy();
        long now = 0;
        for (int step = 0; step < MAX_STEPS && choices.left(); step++) {
            DestinationInput input = input(choices);
            now += choices.chance() ? choices.next(100) * 200L * MILLIS : MILLIS;
            if (!may(input, machine)) {
                continue;
            }
            MigrationStatus before = machine.status();
            boolean ran = machine.ran();
            List<DestinationEffect> effects = new ArrayList<>();
            machine.handle(input, now, effects::add);
            String broken = broken(before, ran, input, machine, effects);
            if (broken != null) {
                throw new AssertionError(broken + ": " + before + " " + input + " " + machine.state() + " " + effects);
            }
            List<DestinationEffect> again = new ArrayList<>();
            copy.handle(input, now, again::add);
            if (!again.equals(effects) || !copy.fingerprint(now).equals(machine.fingerprint(now))) {
                throw new AssertionError("a copy does " + again + " where the machine does " + effects);
            }
            copy = machine.copy();
        }
    }

    private static DestinationInput input(Choices choices) {
        return switch (choices.next(20)) {
            case 0 -> new DestinationInput.Incoming();
            case 1 -> new DestinationInput.AwaitRecovery(choices.next(2));
            case 2 -> new DestinationInput.Pause();
            case 3 -> new DestinationInput.Revived();
            case 4 -> new DestinationInput.MainOpened();
            case 5 -> new DestinationInput.RecoveryOpened();
            case 6, 7 -> new DestinationInput.BitmapAsked(choices.next(2));
            case 8 -> new DestinationInput.Packaged(choices.chance() ? List.of() : List.of(Wire.PING_LOADED));
            case 9 -> new DestinationInput.Ended(choices.next(2));
            case 10 -> new DestinationInput.NothingMissing();
            case 11, 12 -> new DestinationInput.WorkDone();
            case 13 -> new DestinationInput.WorkFailed("no such device", choices.chance());
            case 14 -> new DestinationInput.StorageFailed("the disk is full");
            case 15 -> new DestinationInput.Broken(CHANNELS.get(choices.next(CHANNELS.size())), "reset");
            case 16 -> new DestinationInput.Tick(-1);
            default -> new DestinationInput.Received(MESSAGES.get(choices.next(MESSAGES.size())));
        };
    }

    /** Whether whoever drives a machine can give it that input: the guest answers what it was asked, and meanwhile main waits. */
    private static boolean may(DestinationInput input, DestinationMachine machine) {
        if (machine.refuse(input) != null) {
            return false;
        }
        return switch (input) {
            case DestinationInput.WorkDone _, DestinationInput.WorkFailed _ -> machine.working();
            case DestinationInput.MainOpened _ -> machine.status() == MigrationStatus.SETUP;
            case DestinationInput.RecoveryOpened _ -> machine.recoverable();
            case DestinationInput.Revived _ -> machine.held();
            case DestinationInput.Received _,
                    DestinationInput.BitmapAsked _,
                    DestinationInput.Packaged _,
                    DestinationInput.Ended _,
                    DestinationInput.NothingMissing _ -> !machine.working();
            case DestinationInput.Incoming _,
                    DestinationInput.AwaitRecovery _,
                    DestinationInput.Pause _,
                    DestinationInput.StorageFailed _,
                    DestinationInput.Broken _,
                    DestinationInput.Tick _ -> true;
        };
    }

    /** The promise that is broken, or null. */
    private static @Nullable String broken(
            MigrationStatus before,
            boolean ran,
            DestinationInput input,
            DestinationMachine machine,
            List<DestinationEffect> effects) {
        MigrationStatus after = machine.status();
        boolean starts = effects.contains(new DestinationEffect.StartGuest());
        if (starts != (!ran && machine.ran())) {
            return "the guest starts twice, or is here without a start";
        }
        if (starts && !(input instanceof DestinationInput.WorkDone)) {
            return "the guest starts before it has taken over";
        }
        if (ran && (!machine.ran() || effects.contains(new DestinationEffect.ResetMemory()))) {
            return "a guest that ran is given up";
        }
        if (ran && !alive(after)) {
            return "a guest that ran is in a state without recovery";
        }
        if (ran && machine.neverRan() != -1) {
            return "a guest that ran is denied to its source";
        }
        if (shut(effects, Wire.SHUT_OK) && after != MigrationStatus.COMPLETED) {
            return "success is told before it is there";
        }
        if (ran && shut(effects, Wire.SHUT_FAILED)) {
            return "a guest that ran is told to have failed";
        }
        if (after == MigrationStatus.POSTCOPY_PAUSED && stuck(machine)) {
            return "paused, and no recovery is taken";
        }
        if (after == MigrationStatus.POSTCOPY_RECOVER && !machine.working() && machine.nextTick(-1) == Long.MAX_VALUE) {
            return "a wait without a deadline";
        }
        if (before == MigrationStatus.COMPLETED && after != MigrationStatus.COMPLETED) {
            return "completed, and not any more";
        }
        if (machine.held() && effects.stream().anyMatch(DestinationEffect.DropChannels.class::isInstance)) {
            return "a channel is dropped that is held";
        }
        return statuses(before, after, effects);
    }

    /** Neither a recovery is taken, nor is the guest at work, nor would an operator's migrate-recover set it to work. */
    private static boolean stuck(DestinationMachine machine) {
        DestinationMachine asked = machine.copy();
        if (machine.working() || machine.recoverable()) {
            return false;
        }
        DestinationInput.AwaitRecovery word = new DestinationInput.AwaitRecovery(0);
        if (asked.refuse(word) != null) {
            return true;
        }
        asked.handle(word, 0, _ -> {});
        return !asked.working();
    }

    private static boolean alive(MigrationStatus status) {
        return status == MigrationStatus.POSTCOPY_ACTIVE
                || status == MigrationStatus.POSTCOPY_PAUSED
                || status == MigrationStatus.POSTCOPY_RECOVER
                || status == MigrationStatus.COMPLETED;
    }

    private static boolean shut(List<DestinationEffect> effects, int status) {
        return effects.contains(new DestinationEffect.Reply(new ReturnPathMessage.Shut(status)));
    }

    private static @Nullable String statuses(
            MigrationStatus before, MigrationStatus after, List<DestinationEffect> effects) {
        MigrationStatus at = before;
        for (DestinationEffect effect : effects) {
            if (effect
                    instanceof
                    DestinationEffect.StatusChanged(MigrationStatus from, MigrationStatus to, String reason)) {
                if (from != at || to == from || reason.isBlank()) {
                    return "a status that does not follow from the one before";
                }
                at = to;
            }
        }
        return at == after ? null : "a change of status that nobody is told";
    }
}
