// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.protocol.Channel;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.SourceEffect;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceInput.Mark;
import io.godwit.protocol.SourceMachine;
import io.godwit.protocol.SourceState;
import io.godwit.protocol.Wire;
import io.godwit.sim.check.Line.Near;
import io.godwit.sim.check.Scene.Here;
import io.godwit.wire.ReturnPathMessage;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The source's side: the real machine, and of its session, pump and guest as little as it takes to make a message of an effect and an input of a message. */
final class SourceModel {
    /** Names the one migration. */
    static final int NONCE = 1;

    private static final SourceInput TICK = new SourceInput.Tick();
    private static final PageBitmap NO_BITS = new PageBitmap(Scene.PAGES / 2);
    /** The same for any content, so that the table of steps stays small: the machine looks at the block only. */
    private static final List<SourceInput> BITMAPS = List.of(
            new SourceInput.Received(new ReturnPathMessage.RecvBitmap(0, NO_BITS)),
            new SourceInput.Received(new ReturnPathMessage.RecvBitmap(1, NO_BITS)));

    private final Automaton<SourceMachine, SourceEffect> automaton;
    private final Bugs bugs;
    private final Rules rules;
    /** Marks that the kernel has reached, of which the machine has not heard yet. */
    private final ArrayDeque<Mark> reached = new ArrayDeque<>();

    SourceModel(MigrationOptions options, Bugs bugs, Rules rules) {
        this.bugs = bugs;
        this.rules = rules;
        this.automaton = new Automaton<>(new SourceMachine(options, Clock.USUAL), new Automaton.Anatomy<>() {
            @Override
            public SourceMachine copy(SourceMachine machine) {
                return machine.copy();
            }

            @Override
            public String fingerprint(SourceMachine machine) {
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
        return automaton.machines().stream().map(SourceMachine::status).collect(Collectors.toSet());
    }

    SourceMachine machine(Scene scene) {
        return automaton.machine(scene.source);
    }

    SourceState state(Scene scene) {
        return machine(scene).state();
    }

    /** The machine hears of something. */
    void step(Scene scene, SourceInput input) {
        single(scene, input);
        Mark mark;
        while ((mark = reached.poll()) != null) {
            single(scene, new SourceInput.Written(mark));
        }
    }

    private void single(Scene scene, SourceInput input) {
        if (!bugs.deafSource().test(state(scene), input)) {
            perform(
                    scene,
                    automaton.step(scene.source, input, (machine, out) -> machine.handle(input, Clock.NOW, out)));
        }
    }

    /** Time passes. False if that changes nothing. */
    boolean tick(Scene scene, Clock what) {
        if (bugs.deafSource().test(state(scene), TICK)) {
            return false;
        }
        int before = scene.source;
        perform(scene, automaton.step(scene.source, what, (machine, out) -> {
            machine.parameters(what == Clock.TIME_OUT ? Clock.TIME_IS_UP : Clock.USUAL);
            machine.handle(TICK, Clock.NOW, out);
            machine.parameters(Clock.USUAL);
        }));
        Mark mark;
        while ((mark = reached.poll()) != null) {
            single(scene, new SourceInput.Written(mark));
        }
        return scene.source != before;
    }

    private void perform(Scene scene, Automaton.Step<SourceEffect> step) {
        scene.source = step.next();
        SourceState next = state(scene);
        for (SourceEffect effect : step.effects()) {
            for (SourceEffect done : bugs.sourceEffects().apply(next, effect)) {
                perform(scene, done);
            }
        }
    }

    private void perform(Scene scene, SourceEffect effect) {
        switch (effect) {
            case SourceEffect.Connect(Channel channel) -> scene.lines.add(new Line(isPreempt(channel)));
            case SourceEffect.DropChannels _ -> {
                scene.outbox = Message.NONE;
                closeChannels(scene);
            }
            case SourceEffect.CloseChannels _ -> {
                flush(scene);
                closeChannels(scene);
            }
            case SourceEffect.SendOpening _ -> send(scene, Message.OPENING.with(0));
            case SourceEffect.BeginPrecopy _ -> {
                scene.toSend = Scene.ALL;
                scene.unharvested = 0;
                send(scene, Message.BLOCKS.with(0));
            }
            case SourceEffect.SendKeepAlive _ -> {
                Line main = scene.near(false);
                if (main != null) {
                    main.pinged = true;
                }
                send(scene, Message.PING.with(NONCE));
            }
            case SourceEffect.StopGuest _ -> scene.here = Here.STOPS;
            case SourceEffect.ResumeGuest _ -> scene.here = Here.RUNS;
            case SourceEffect.FreezeDirty _ -> harvest(scene);
            case SourceEffect.SendPrecopyEnd _ -> send(scene, Message.PRECOPY_END.with(0));
            case SourceEffect.SendSwitchToPostcopy _ -> {
                send(scene, Message.DISCARD.with(scene.toSend));
                send(scene, Message.PACKAGED.with(0));
            }
            case SourceEffect.SendPostcopyEnd _ -> {
                send(scene, Message.POSTCOPY_END.with(0));
                Line preempt = scene.near(true);
                if (preempt != null) {
                    preempt.sendThere(Message.PREEMPT_END.with(0));
                }
            }
            case SourceEffect.SendBitmapRequests _ -> {
                send(scene, Message.ASK_BITMAP.with(0));
                send(scene, Message.ASK_BITMAP.with(1));
            }
            case SourceEffect.SendResume _ -> {
                scene.toSend = Scene.ALL & ~scene.claimed;
                scene.urgent = 0;
                scene.claimed = 0;
                send(scene, Message.RESUME.with(0));
            }
            case SourceEffect.StatusChanged(MigrationStatus from, MigrationStatus to, String _) ->
                rules.sourceStatus(scene, from, to);
            case SourceEffect.Forget _ -> {
                // What was kept is not looked at any more.
            }
        }
    }

    private static boolean isPreempt(Channel channel) {
        return switch (channel) {
            case MAIN -> false;
            case PREEMPT -> true;
            case MULTIFD -> throw new IllegalStateException("no world here has multifd");
        };
    }

    private static void closeChannels(Scene scene) {
        for (Line line : scene.lines) {
            if (line.near != Near.CLOSED) {
                line.closeNear();
            }
        }
    }

    private static void harvest(Scene scene) {
        scene.toSend |= scene.unharvested;
        scene.unharvested = 0;
    }

    /** A commit point waits for the kernel, and what follows it waits with it; all else is taken at once. */
    private void send(Scene scene, short code) {
        boolean commit = Message.kind(code) == Message.PACKAGED || Message.kind(code) == Message.PRECOPY_END;
        if (commit || scene.outbox.length > 0) {
            scene.outbox = Message.append(scene.outbox, code);
        } else {
            write(scene, code);
        }
    }

    private void write(Scene scene, short code) {
        Line main = scene.near(false);
        if (main != null) {
            main.sendThere(code);
        }
        switch (Message.kind(code)) {
            case PACKAGED -> {
                scene.handedOver = true;
                reached.add(Mark.COMMIT);
            }
            case PRECOPY_END -> {
                scene.handedOver = true;
                reached.add(Mark.COMMIT);
                reached.add(Mark.END);
            }
            case POSTCOPY_END -> reached.add(Mark.END);
            case PING -> reached.add(Mark.PING);
            case OPENING,
                    BLOCKS,
                    PAGE,
                    DISCARD,
                    PREEMPT_END,
                    ASK_BITMAP,
                    RESUME,
                    PONG,
                    REQUEST,
                    BITMAP,
                    RESUME_ACK,
                    SHUT -> {}
        }
    }

    private void flush(Scene scene) {
        short[] codes = scene.outbox;
        scene.outbox = Message.NONE;
        for (short code : codes) {
            write(scene, code);
        }
    }

    /** The kernel takes what waits for it. */
    void kernelTakes(Scene scene) {
        flush(scene);
        Mark mark;
        while ((mark = reached.poll()) != null) {
            single(scene, new SourceInput.Written(mark));
        }
    }

    void connected(Scene scene, Line line) {
        line.near = Near.OPEN;
        step(scene, new SourceInput.Connected(channel(line)));
    }

    void broken(Scene scene, Line line) {
        line.closeNear();
        step(scene, new SourceInput.Broken(channel(line), "it ended"));
    }

    private static Channel channel(Line line) {
        return line.preempt ? Channel.PREEMPT : Channel.MAIN;
    }

    /** The next message of the return path comes. */
    void deliver(Scene scene, Line line) {
        short code = line.back[0];
        line.back = Message.rest(line.back);
        int value = Message.value(code);
        switch (Message.kind(code)) {
            case PONG ->
                hear(
                        scene,
                        new ReturnPathMessage.Pong(
                                value < Message.KEEP_ALIVE ? value : Wire.keepAlive(value - Message.KEEP_ALIVE)));
            case SHUT ->
                hear(
                        scene,
                        new ReturnPathMessage.Shut(
                                value < Message.KEEP_ALIVE ? value : Wire.neverRan(value - Message.KEEP_ALIVE)));
            case RESUME_ACK -> hear(scene, new ReturnPathMessage.ResumeAck(1));
            case REQUEST -> {
                hear(
                        scene,
                        new ReturnPathMessage.ReqPagesId(
                                "ram" + (value >> 1), (long) (value & 1) * Pages.SIZE, Pages.SIZE));
                if (line.near != Near.CLOSED) {
                    scene.urgent |= 1 << value;
                }
            }
            case BITMAP -> {
                int block = value >> 4;
                int pages = 3 << (2 * block);
                scene.claimed = (scene.claimed & ~pages) | (value & pages);
                step(scene, BITMAPS.get(block));
            }
            case OPENING,
                    BLOCKS,
                    PAGE,
                    PING,
                    DISCARD,
                    PACKAGED,
                    PRECOPY_END,
                    POSTCOPY_END,
                    PREEMPT_END,
                    ASK_BITMAP,
                    RESUME -> throw new IllegalStateException(Message.text(code) + " on the return path");
        }
    }

    private void hear(Scene scene, ReturnPathMessage message) {
        step(scene, new SourceInput.Received(message));
    }

    /** The next thing that the pump does by itself, told as a sentence; null if there is none. */
    @Nullable
    String pump(Scene scene) {
        if (scene.near(false) == null) {
            return null;
        }
        return switch (state(scene)) {
            case SourceState.Active _ -> {
                if (machine(scene).switchWanted()) {
                    step(scene, new SourceInput.Estimate(Long.MAX_VALUE, 0));
                    yield "the source sees that the switch to postcopy can be made";
                }
                if (scene.toSend != 0) {
                    yield page(scene);
                }
                harvest(scene);
                step(scene, new SourceInput.Estimate((long) Integer.bitCount(scene.toSend) * Pages.SIZE, 0));
                yield "a pass is over";
            }
            case SourceState.Stopping _ -> scene.toSend == 0 ? null : page(scene);
            case SourceState.Flushing(boolean postcopy, boolean closing) -> {
                if (postcopy || closing) {
                    yield null;
                }
                yield scene.toSend == 0 ? nothingLeft(scene) : page(scene);
            }
            case SourceState.PostcopyActive(boolean _, boolean ended) -> {
                if (ended) {
                    yield null;
                }
                yield (scene.toSend | scene.urgent) == 0 ? nothingLeft(scene) : page(scene);
            }
            case SourceState.Idle _,
                    SourceState.Setup _,
                    SourceState.PreSwitchover _,
                    SourceState.AwaitingShut _,
                    SourceState.Paused _,
                    SourceState.RecoverSetup _,
                    SourceState.Recover _,
                    SourceState.Held _,
                    SourceState.Uncertain _,
                    SourceState.Completed _,
                    SourceState.Failed _,
                    SourceState.Cancelled _ -> null;
        };
    }

    private String nothingLeft(Scene scene) {
        step(scene, new SourceInput.NothingLeft());
        return "the source has no page left";
    }

    private String page(Scene scene) {
        boolean requested = scene.urgent != 0;
        int number = Integer.numberOfTrailingZeros(requested ? scene.urgent : scene.toSend);
        short code = Message.PAGE.with(number | (scene.written >> number & 1) << 2);
        scene.toSend &= ~(1 << number);
        scene.urgent &= ~(1 << number);
        Line preempt = scene.near(true);
        if (requested && preempt != null) {
            preempt.sendThere(code);
        } else {
            send(scene, code);
        }
        return "the source sends " + Message.text(code);
    }
}
