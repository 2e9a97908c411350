// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.BlockInfo;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamMessage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * A destination's machine driven step by step, its effects as short words. Its guest answers at once, and the machine hears that before anything else;
 * it takes what it is given, or refuses it once {@link #guestRefuses} was said. Time stands still unless it is told to pass.
 */
final class DestinationDialogue {
    static final long MILLIS = 1_000_000;
    static final int NONCE = 0x1234;
    static final MigrationOptions POSTCOPY = new MigrationOptions(true, true, false, false, false, 2, 0);
    static final MigrationOptions PRECOPY = new MigrationOptions(false, false, false, false, false, 2, 0);
    static final MigrationOptions ACKING = new MigrationOptions(true, true, false, false, true, 2, 0);
    /** Handshake and liveness end after 10 and 7 seconds. */
    static final Parameters PARAMETERS = new Parameters(0, 0, 300, 0, 10_000, 7_000, 1_000);

    final DestinationMachine machine;
    private final List<String> words = new ArrayList<>();
    private boolean refusing;
    private boolean working;
    private long now;

    DestinationDialogue(MigrationOptions options) {
        this(new DestinationMachine(options, PARAMETERS), 0);
    }

    DestinationDialogue(DestinationMachine machine, long now) {
        this.machine = machine;
        this.now = now;
    }

    long now() {
        return now;
    }

    /** From here on the guest is at work without an answer. */
    DestinationDialogue guestWorks() {
        working = true;
        return this;
    }

    DestinationDialogue guestRefuses() {
        refusing = true;
        return this;
    }

    /** From here on the source is taken for one that does not survive a broken handshake. */
    DestinationDialogue fragile() {
        machine.parameters(PARAMETERS.withPeerMayBe72(true));
        return this;
    }

    DestinationDialogue then(DestinationInput input) {
        assertThat(machine.refuse(input)).as("%s is refused", input).isNull();
        Deque<DestinationInput> inputs = new ArrayDeque<>(List.of(input));
        while (!inputs.isEmpty()) {
            machine.handle(inputs.remove(), now, effect -> {
                words.add(word(effect));
                if (working) {
                    return;
                }
                switch (effect) {
                    case DestinationEffect.LoadDevices _ ->
                        inputs.add(
                                refusing
                                        ? new DestinationInput.WorkFailed("no such device", false)
                                        : new DestinationInput.WorkDone());
                    case DestinationEffect.Finish _, DestinationEffect.Mend _ ->
                        inputs.add(new DestinationInput.WorkDone());
                    default -> {}
                }
            });
        }
        return this;
    }

    DestinationDialogue received(StreamMessage... messages) {
        for (StreamMessage message : messages) {
            then(new DestinationInput.Received(message));
        }
        return this;
    }

    DestinationDialogue listening() {
        return then(new DestinationInput.Incoming());
    }

    DestinationDialogue opened() {
        return listening().then(new DestinationInput.MainOpened());
    }

    DestinationDialogue ping() {
        return received(new StreamMessage.Ping(Wire.keepAlive(NONCE)));
    }

    /** A source that can switch to postcopy has said everything up to its block list, and who it is. */
    DestinationDialogue active() {
        return opened().received(new StreamMessage.OpenReturnPath(), advise(), memory())
                .ping();
    }

    DestinationDialogue packaged() {
        return then(new DestinationInput.Packaged(List.of(Wire.PING_LOADED)));
    }

    DestinationDialogue postcopy() {
        return active().packaged();
    }

    DestinationDialogue ended(long missing) {
        return then(new DestinationInput.Ended(missing));
    }

    DestinationDialogue broken() {
        return then(new DestinationInput.Broken(Channel.MAIN, "reset"));
    }

    DestinationDialogue paused() {
        return postcopy().broken();
    }

    DestinationDialogue sourceReturns() {
        return then(new DestinationInput.RecoveryOpened());
    }

    DestinationDialogue asked(int block) {
        return then(new DestinationInput.BitmapAsked(block));
    }

    DestinationDialogue resume() {
        return received(new StreamMessage.PostcopyResume());
    }

    DestinationDialogue after(long millis) {
        now += millis * MILLIS;
        return this;
    }

    /** Time passes, and the machine looks at its deadlines; no page is owed. */
    DestinationDialogue tickAfter(long millis) {
        return after(millis).then(new DestinationInput.Tick(-1));
    }

    /** The effects since the last time. */
    List<String> said() {
        List<String> said = List.copyOf(words);
        words.clear();
        return said;
    }

    DestinationDialogue expect(String... effects) {
        assertThat(said()).containsExactly(effects);
        return this;
    }

    DestinationDialogue in(MigrationStatus status) {
        assertThat(machine.status()).isEqualTo(status);
        return this;
    }

    static StreamMessage advise() {
        return new StreamMessage.PostcopyAdvise(4096, 4096);
    }

    static StreamMessage memory() {
        return StreamMessage.MemSize.of(List.of(BlockInfo.of("a", 4096), BlockInfo.of("b", 4096)));
    }

    static String word(DestinationEffect effect) {
        return switch (effect) {
            case DestinationEffect.Reply(ReturnPathMessage message) -> reply(message);
            case DestinationEffect.SendBitmap(int block) -> "bitmap-" + block;
            case DestinationEffect.DropChannels _ -> "drop";
            case DestinationEffect.CloseChannels _ -> "close";
            case DestinationEffect.ResetMemory _ -> "reset-memory";
            case DestinationEffect.BeginPostcopy _ -> "begin-postcopy";
            case DestinationEffect.LoadDevices _ -> "load";
            case DestinationEffect.Finish _ -> "finish";
            case DestinationEffect.Mend _ -> "mend";
            case DestinationEffect.StartGuest _ -> "start-guest";
            case DestinationEffect.ReissueRequests _ -> "reissue";
            case DestinationEffect.StatusChanged(MigrationStatus _, MigrationStatus to, String _) -> "=" + to;
            case DestinationEffect.Notice _ -> "notice";
        };
    }

    private static String reply(ReturnPathMessage message) {
        return switch (message) {
            case ReturnPathMessage.Pong(int value) -> Wire.isKeepAlive(value) ? "pong" : "pong-" + value;
            case ReturnPathMessage.Shut(int status) -> "shut-" + status;
            case ReturnPathMessage.ResumeAck(int value) -> "resume-ack-" + value;
            case ReturnPathMessage.SwitchoverAck _ -> "switchover-ack";
            case ReturnPathMessage.ReqPages _, ReturnPathMessage.ReqPagesId _, ReturnPathMessage.RecvBitmap _ ->
                throw new AssertionError("not the machine's to say: " + message);
        };
    }
}
