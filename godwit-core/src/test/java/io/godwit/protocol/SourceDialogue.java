// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.PageBitmap;
import io.godwit.wire.ReturnPathMessage;
import java.util.ArrayList;
import java.util.List;

/** A source's machine driven step by step, its effects as short words. Time stands still unless it is told to pass. */
final class SourceDialogue {
    static final long MILLIS = 1_000_000;
    static final int NONCE = 0x1234;
    static final MigrationOptions PRECOPY = new MigrationOptions(true, false, false, false, false, 2, NONCE);
    static final MigrationOptions POSTCOPY = new MigrationOptions(true, true, false, false, false, 2, NONCE);
    static final MigrationOptions PREEMPT = new MigrationOptions(true, true, true, false, false, 2, NONCE);
    static final MigrationOptions HOLDING = new MigrationOptions(true, true, false, true, false, 2, NONCE);
    static final MigrationOptions ACKED = new MigrationOptions(true, true, false, false, true, 2, NONCE);
    static final MigrationOptions ONE_WAY = new MigrationOptions(false, false, false, false, false, 2, NONCE);
    /** Handshake and liveness end after 10 and 7 seconds, a PING goes out each second. */
    static final Parameters PARAMETERS = new Parameters(0, 0, 300, 0, 10_000, 7_000, 1_000);

    final SourceMachine machine;
    private final List<String> words = new ArrayList<>();
    private long now;

    SourceDialogue(MigrationOptions options) {
        this(new SourceMachine(options, PARAMETERS), 0);
    }

    SourceDialogue(SourceMachine machine, long now) {
        this.machine = machine;
        this.now = now;
    }

    long now() {
        return now;
    }

    /** What happens, as effects; {@link #said} forgets them. */
    SourceDialogue then(SourceInput input) {
        assertThat(machine.refuse(input)).as("%s is refused", input).isNull();
        machine.handle(input, now, effect -> words.add(word(effect)));
        return this;
    }

    /** From here on the destination is taken for one that does not survive a broken handshake. */
    SourceDialogue fragile() {
        machine.parameters(PARAMETERS.withPeerMayBe72(true));
        return this;
    }

    SourceDialogue received(ReturnPathMessage message) {
        return then(new SourceInput.Received(message));
    }

    SourceDialogue pong() {
        return received(new ReturnPathMessage.Pong(Wire.keepAlive(NONCE)));
    }

    SourceDialogue bitmap(int block) {
        return received(new ReturnPathMessage.RecvBitmap(block, new PageBitmap(1)));
    }

    SourceDialogue connected() {
        return then(new SourceInput.Connected(Channel.MAIN));
    }

    SourceDialogue broken() {
        return then(new SourceInput.Broken(Channel.MAIN, "reset"));
    }

    SourceDialogue written(SourceInput.Mark mark) {
        return then(new SourceInput.Written(mark));
    }

    SourceDialogue estimate(long remaining) {
        return then(new SourceInput.Estimate(remaining, 1_000_000));
    }

    SourceDialogue after(long millis) {
        now += millis * MILLIS;
        return this;
    }

    /** Time passes, and the machine looks at its deadlines. */
    SourceDialogue tickAfter(long millis) {
        return after(millis).then(new SourceInput.Tick());
    }

    /** The effects since the last time. */
    List<String> said() {
        List<String> said = List.copyOf(words);
        words.clear();
        return said;
    }

    SourceDialogue expect(String... effects) {
        assertThat(said()).containsExactly(effects);
        return this;
    }

    SourceDialogue in(SourceState state) {
        assertThat(machine.state()).isEqualTo(state);
        return this;
    }

    /** From nothing to precopy with a destination that has answered. */
    SourceDialogue active() {
        return then(new SourceInput.Migrate()).connected().pong();
    }

    /** The guest is given to the destination; nothing proves yet that it has arrived. */
    SourceDialogue switched() {
        if (machine.options().preempt()) {
            then(new SourceInput.Connected(Channel.PREEMPT));
        }
        return then(new SourceInput.StartPostcopy())
                .estimate(1 << 30)
                .then(new SourceInput.GuestStopped())
                .written(SourceInput.Mark.COMMIT);
    }

    SourceDialogue proven() {
        return received(new ReturnPathMessage.Pong(Wire.PING_LOADED));
    }

    /** Precopy, its EOF handed to the kernel. */
    SourceDialogue awaitingShut() {
        return estimate(0)
                .then(new SourceInput.GuestStopped())
                .then(new SourceInput.NothingLeft())
                .written(SourceInput.Mark.COMMIT);
    }

    static String word(SourceEffect effect) {
        return switch (effect) {
            case SourceEffect.Connect(Channel channel) -> channel == Channel.MAIN ? "connect" : "connect-preempt";
            case SourceEffect.DropChannels _ -> "drop";
            case SourceEffect.SendOpening _ -> "opening";
            case SourceEffect.BeginPrecopy _ -> "begin-precopy";
            case SourceEffect.SendKeepAlive _ -> "ping";
            case SourceEffect.StopGuest _ -> "stop-guest";
            case SourceEffect.ResumeGuest _ -> "resume-guest";
            case SourceEffect.FreezeDirty _ -> "freeze";
            case SourceEffect.SendPrecopyEnd _ -> "precopy-end";
            case SourceEffect.SendSwitchToPostcopy _ -> "switch";
            case SourceEffect.SendPostcopyEnd _ -> "postcopy-end";
            case SourceEffect.SendBitmapRequests _ -> "ask-bitmaps";
            case SourceEffect.SendResume _ -> "send-resume";
            case SourceEffect.Forget _ -> "forget";
            case SourceEffect.CloseChannels _ -> "close";
            case SourceEffect.StatusChanged(MigrationStatus _, MigrationStatus to, String _) -> "=" + to;
        };
    }
}
