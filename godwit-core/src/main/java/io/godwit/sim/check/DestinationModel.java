// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationEffect;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationMachine;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Wire;
import io.godwit.sim.check.Line.Far;
import io.godwit.wire.ReturnPathMessage;
import io.godwit.wire.StreamMessage;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The destination's side: the real machine, and as little of its session, candidates and guest as it takes. */
final class DestinationModel {
    private static final StreamMessage BLOCKS = StreamMessage.MemSize.of(
            List.of(BlockInfo.of("ram0", 2L * Pages.SIZE), BlockInfo.of("ram1", 2L * Pages.SIZE)));
    private static final StreamMessage DISCARD =
            new StreamMessage.RamDiscard("ram0", List.of(new StreamMessage.Range(0, Pages.SIZE)));

    private final Automaton<DestinationMachine, DestinationEffect> automaton;
    private final MigrationOptions options;
    private final Bugs bugs;
    private final Rules rules;

    DestinationModel(MigrationOptions options, Bugs bugs, Rules rules) {
        this.options = options;
        this.bugs = bugs;
        this.rules = rules;
        this.automaton = new Automaton<>(new DestinationMachine(options, Clock.USUAL), new Automaton.Anatomy<>() {
            @Override
            public DestinationMachine copy(DestinationMachine machine) {
                return machine.copy();
            }

            @Override
            public String fingerprint(DestinationMachine machine) {
                return machine.fingerprint(Clock.NOW);
            }
        });
    }

    /** Different states of the machine so far. */
    int states() {
        return automaton.size();
    }

    /** Every status that the machine was in. */
    Set<MigrationStatus> statuses() {
        return automaton.machines().stream().map(DestinationMachine::status).collect(Collectors.toSet());
    }

    DestinationMachine machine(Scene scene) {
        return automaton.machine(scene.destination);
    }

    DestinationState state(Scene scene) {
        return machine(scene).state();
    }

    /** The machine hears of something. False if it is deaf to it. */
    boolean step(Scene scene, DestinationInput input) {
        if (bugs.deafDestination().test(state(scene), input)) {
            return false;
        }
        perform(
                scene,
                automaton.step(scene.destination, input, (machine, out) -> machine.handle(input, Clock.NOW, out)));
        request(scene);
        return true;
    }

    /** Time passes. False if that changes nothing. */
    boolean tick(Scene scene, Clock what) {
        boolean owed = scene.asked && (scene.received & Scene.TOUCHED) == 0;
        DestinationInput tick = new DestinationInput.Tick(owed ? Clock.NOW : -1);
        if (bugs.deafDestination().test(state(scene), tick)) {
            return false;
        }
        int before = scene.destination;
        record Passing(Clock what, DestinationInput tick) {}
        Automaton.Step<DestinationEffect> step = automaton.step(before, new Passing(what, tick), (machine, out) -> {
            machine.parameters(what == Clock.TIME_OUT ? Clock.TIME_IS_UP : Clock.USUAL);
            machine.handle(tick, Clock.NOW, out);
            machine.parameters(Clock.USUAL);
        });
        perform(scene, step);
        return !step.effects().isEmpty() || scene.destination != before;
    }

    private void perform(Scene scene, Automaton.Step<DestinationEffect> step) {
        scene.destination = step.next();
        DestinationState next = state(scene);
        for (DestinationEffect effect : step.effects()) {
            for (DestinationEffect done : bugs.destinationEffects().apply(next, effect)) {
                perform(scene, done);
            }
        }
    }

    private void perform(Scene scene, DestinationEffect effect) {
        switch (effect) {
            case DestinationEffect.Reply(ReturnPathMessage message) -> reply(scene, code(message));
            case DestinationEffect.SendBitmap(int block) ->
                reply(scene, Message.BITMAP.with(block << 4 | (scene.received & (3 << (2 * block)))));
            case DestinationEffect.DropChannels _, DestinationEffect.CloseChannels _ -> {
                for (Line line : scene.lines) {
                    if (line.far == Far.MAIN || line.far == Far.PREEMPT) {
                        line.closeFar();
                    }
                }
                scene.asked = false;
            }
            case DestinationEffect.ResetMemory _ -> {
                scene.received = 0;
                scene.fresh = 0;
                scene.postcopy = false;
            }
            case DestinationEffect.BeginPostcopy _ -> scene.postcopy = true;
            case DestinationEffect.StartGuest _ -> {
                rules.guestArrives(scene);
                scene.arrived = true;
            }
            case DestinationEffect.ReissueRequests _ -> scene.asked = false;
            case DestinationEffect.StatusChanged(MigrationStatus from, MigrationStatus to, String _) ->
                rules.destinationStatus(scene, from, to);
            case DestinationEffect.LoadDevices _,
                    DestinationEffect.Finish _,
                    DestinationEffect.Mend _,
                    DestinationEffect.Notice _ -> {
                // A work ends when it does: that is a move of its own.
            }
        }
    }

    private static void reply(Scene scene, short code) {
        Line main = scene.far(Far.MAIN);
        if (main != null) {
            main.sendBack(code);
        }
    }

    private static short code(ReturnPathMessage message) {
        return switch (message) {
            case ReturnPathMessage.Pong(int value) ->
                Message.PONG.with(Wire.isKeepAlive(value) ? Message.KEEP_ALIVE + (value & 0xff) : value);
            case ReturnPathMessage.Shut(int status) ->
                Message.SHUT.with(Wire.isKeepAlive(status) ? Message.KEEP_ALIVE + (status & 0xff) : status);
            case ReturnPathMessage.ResumeAck _ -> Message.RESUME_ACK.with(0);
            case ReturnPathMessage.ReqPagesId _,
                    ReturnPathMessage.ReqPages _,
                    ReturnPathMessage.RecvBitmap _,
                    ReturnPathMessage.SwitchoverAck _ ->
                throw new IllegalStateException("the machine does not say " + message);
        };
    }

    /** The guest waits for its page: asked for as soon, and as often, as it may be. */
    void request(Scene scene) {
        Line main = scene.far(Far.MAIN);
        if (scene.touched
                && !scene.asked
                && (scene.received & Scene.TOUCHED) == 0
                && main != null
                && machine(scene).requests()) {
            scene.asked = true;
            main.sendBack(Message.REQUEST.with(Integer.numberOfTrailingZeros(Scene.TOUCHED)));
        }
    }

    /** Something can be read on the line, or its end: what becomes of it, as a sentence; null if it has to wait. */
    @Nullable
    String hear(Scene scene, Line line) {
        return switch (line.far) {
            case CANDIDATE -> judge(scene, line);
            case MAIN -> main(scene, line);
            case PREEMPT -> preempt(scene, line);
            case PENDING, GONE -> null;
        };
    }

    private @Nullable String main(Scene scene, Line line) {
        if (line.there.length > 0 && !machine(scene).working()) {
            return next(scene, line);
        }
        // While the guest is at work nothing is consumed, but an end is noticed.
        if (!line.endThere) {
            return null;
        }
        line.closeFar();
        scene.asked = false;
        step(scene, new DestinationInput.Broken(Channel.MAIN, "it ended"));
        return "the destination sees the end of its main channel";
    }

    private @Nullable String preempt(Scene scene, Line line) {
        if (line.there.length == 0) {
            if (!line.endThere) {
                return null;
            }
            line.closeFar();
            step(scene, new DestinationInput.Broken(Channel.PREEMPT, "it ended"));
            return "the destination sees the end of its preempt channel";
        }
        return next(scene, line);
    }

    private String next(Scene scene, Line line) {
        short code = line.there[0];
        line.there = Message.rest(line.there);
        message(scene, line, code);
        return "the destination reads " + Message.text(code);
    }

    private @Nullable String judge(Scene scene, Line line) {
        if (line.there.length == 0) {
            return null;
        }
        short code = line.there[0];
        DestinationMachine machine = machine(scene);
        return switch (Message.kind(code)) {
            case OPENING -> {
                if (!(machine.state() instanceof DestinationState.Listening)) {
                    yield drop(line, "a second migration");
                }
                line.far = Far.MAIN;
                step(scene, new DestinationInput.MainOpened());
                yield next(scene, line);
            }
            case ASK_BITMAP -> recovery(scene, line, machine);
            case PAGE -> page(scene, line, machine);
            case BLOCKS,
                    PING,
                    DISCARD,
                    PACKAGED,
                    PRECOPY_END,
                    POSTCOPY_END,
                    PREEMPT_END,
                    RESUME,
                    PONG,
                    REQUEST,
                    BITMAP,
                    RESUME_ACK,
                    SHUT -> drop(line, Message.text(code));
        };
    }

    private @Nullable String recovery(Scene scene, Line line, DestinationMachine machine) {
        if (machine.recoverable()) {
            Line old = scene.far(Far.MAIN);
            if (old != null && old.order > line.order) {
                return drop(line, "a recovery that is older than the one under way");
            }
            if (!step(scene, new DestinationInput.RecoveryOpened())) {
                return null;
            }
            line.far = Far.MAIN;
            return next(scene, line);
        }
        int neverRan = machine.neverRan();
        if (neverRan >= 0) {
            line.sendBack(Message.SHUT.with(Message.KEEP_ALIVE + (neverRan & 0xff)));
            line.closeFar();
            return "the destination says that it never had this guest";
        }
        return switch (machine.state()) {
            case DestinationState.PostcopyActive _,
                    DestinationState.Active _,
                    DestinationState.Loading _,
                    DestinationState.Finishing _,
                    DestinationState.Mending _ -> null;
            case DestinationState.Paused _,
                    DestinationState.Idle _,
                    DestinationState.Listening _,
                    DestinationState.Failed _,
                    DestinationState.Recover _,
                    DestinationState.Held _,
                    DestinationState.Completed _ -> drop(line, "a recovery that cannot be taken up");
        };
    }

    private @Nullable String page(Scene scene, Line line, DestinationMachine machine) {
        if (scene.far(Far.PREEMPT) != null) {
            return drop(line, "pages, and there is a preempt channel");
        }
        return switch (machine.state()) {
            case DestinationState.PostcopyActive _ -> {
                line.far = Far.PREEMPT;
                yield next(scene, line);
            }
            case DestinationState.Active _,
                    DestinationState.Loading _,
                    DestinationState.Recover _,
                    DestinationState.Held _ -> null;
            case DestinationState.Idle _,
                    DestinationState.Listening _,
                    DestinationState.Finishing _,
                    DestinationState.Mending _,
                    DestinationState.Paused _,
                    DestinationState.Completed _,
                    DestinationState.Failed _ -> drop(line, "pages that are not awaited");
        };
    }

    private static String drop(Line line, String why) {
        line.closeFar();
        return "the destination drops a connection: " + why;
    }

    private void message(Scene scene, Line line, short code) {
        int value = Message.value(code);
        switch (Message.kind(code)) {
            case OPENING -> {
                received(scene, new StreamMessage.OpenReturnPath());
                received(scene, new StreamMessage.Ping(Wire.PING_OPENED));
                if (options.postcopy()) {
                    received(scene, new StreamMessage.PostcopyAdvise(Pages.SIZE, Pages.SIZE));
                }
            }
            case BLOCKS -> received(scene, BLOCKS);
            case PING -> received(scene, new StreamMessage.Ping(Wire.keepAlive(value)));
            case DISCARD -> {
                if (value != 0 && received(scene, DISCARD) && line.far == Far.MAIN) {
                    scene.received &= ~value;
                    scene.fresh &= ~value;
                }
            }
            case PACKAGED -> step(scene, new DestinationInput.Packaged(List.of(Wire.PING_LOADED)));
            case PRECOPY_END, POSTCOPY_END ->
                step(scene, new DestinationInput.Ended(Integer.bitCount(Scene.ALL & ~scene.received)));
            case ASK_BITMAP -> step(scene, new DestinationInput.BitmapAsked(value));
            case RESUME -> received(scene, new StreamMessage.PostcopyResume());
            case PAGE -> place(scene, line, 1 << (value & 3), (value & 4) != 0);
            case PREEMPT_END -> {}
            case PONG, REQUEST, BITMAP, RESUME_ACK, SHUT ->
                throw new IllegalStateException(Message.text(code) + " on the main channel");
        }
    }

    private boolean received(Scene scene, StreamMessage message) {
        return step(scene, new DestinationInput.Received(message));
    }

    private void place(Scene scene, Line line, int page, boolean written) {
        switch (bugs.pages().apply(machine(scene).pages())) {
            case STORE -> store(scene, page, written);
            case PLACE -> {
                if ((scene.received & page) == 0) {
                    store(scene, page, written);
                    rules.placed(scene, page);
                    if (scene.received == Scene.ALL) {
                        step(scene, new DestinationInput.NothingMissing());
                    }
                }
            }
            case DROP -> {}
            case NONE ->
                step(
                        scene,
                        new DestinationInput.Broken(
                                line.far == Far.MAIN ? Channel.MAIN : Channel.PREEMPT, "a page that may not come now"));
        }
    }

    private static void store(Scene scene, int page, boolean written) {
        scene.received |= page;
        scene.own &= ~page;
        scene.fresh = written ? scene.fresh | page : scene.fresh & ~page;
    }
}
