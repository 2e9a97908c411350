// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationState;
import io.godwit.protocol.MigrationOptions;
import io.godwit.protocol.SourceInput;
import io.godwit.protocol.SourceState;
import io.godwit.sim.check.Line.Far;
import io.godwit.sim.check.Line.Near;
import io.godwit.sim.check.Scene.Here;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Everything that can happen next in a state.
 *
 * <p>Time passes for nothing where a path is silent, and where nothing else would happen by itself; a deadline that passes although an answer is on its way is one of the failures. So
 * is an operator who pauses or cancels. Whatever else operators may say they say at any moment, and nobody lies: who gives the guest to one end knows where it is.
 */
final class Moves {
    /** Who makes a move. */
    enum Kind {
        /** It happens by itself, sooner or later. */
        ORDINARY,
        /** A guest or an operator may, or may not. */
        CHOICE,
        TIME,
        FAILURE
    }

    /** Takes what a state leads to. */
    interface Visitor {
        void reached(Scene after, Kind kind, String what);

        void broken(Kind kind, String what, RuleBroken rule);
    }

    /** More connections than this at a time are no new question. */
    private static final int MOST_LINES = 6;

    private static final List<SourceInput> WORDS =
            List.of(new SourceInput.Migrate(), new SourceInput.StartPostcopy(), new SourceInput.Resume());

    final SourceModel source;
    final DestinationModel destination;
    private final Rules rules = new Rules();
    private Scene before = new Scene();
    private @Nullable Visitor visitor;
    private boolean stirred;

    Moves(CheckWorld world, Bugs bugs) {
        MigrationOptions options =
                new MigrationOptions(true, world.postcopy(), world.preempt(), false, false, 2, SourceModel.NONCE);
        source = new SourceModel(options, bugs, rules);
        destination = new DestinationModel(options, bugs, rules);
    }

    /** The destination is awaited, nothing else has happened. */
    Scene first(int failures) {
        Scene scene = new Scene();
        scene.failuresLeft = failures;
        destination.step(scene, new DestinationInput.Incoming());
        return scene;
    }

    boolean goodEnd(Scene scene) {
        return Rules.goodEnd(scene, source.state(scene), destination.state(scene));
    }

    void expand(Scene scene, Visitor taker) {
        before = scene;
        visitor = taker;
        stirred = false;
        ordinary();
        guest();
        operators();
        time();
        if (scene.failuresLeft > 0) {
            failures();
        }
    }

    /** @param action changes the scene and says what happened, or says null: it cannot happen now */
    private void move(Kind kind, Function<Scene, @Nullable String> action) {
        Scene after = before.copy();
        String what = "";
        try {
            what = action.apply(after);
            if (what == null) {
                return;
            }
            after.tidy();
            rules.check(before, after, source.machine(after), destination.machine(after));
        } catch (RuleBroken rule) {
            taker().broken(kind, String.valueOf(what), rule);
            return;
        }
        stirred = stirred || kind == Kind.ORDINARY;
        taker().reached(after, kind, what);
    }

    private Visitor taker() {
        Visitor taker = visitor;
        if (taker == null) {
            throw new IllegalStateException("nobody is told");
        }
        return taker;
    }

    private void ordinary() {
        for (int i = 0; i < before.lines.size(); i++) {
            int number = i;
            Line line = before.lines.get(i);
            if (line.near != Near.CLOSED) {
                move(Kind.ORDINARY, scene -> near(scene, scene.lines.get(number)));
            }
            if (line.far != Far.GONE) {
                move(Kind.ORDINARY, scene -> far(scene, scene.lines.get(number)));
            }
        }
        Line main = before.near(false);
        if (main != null && before.outbox.length > 0) {
            // Where all is silence somebody may take the bytes all the same.
            move(main.silentThere ? Kind.CHOICE : Kind.ORDINARY, scene -> {
                source.kernelTakes(scene);
                return "the kernel takes the source's last byte up to the commit point";
            });
        }
        move(Kind.ORDINARY, scene -> {
            int state = scene.source;
            int left = scene.toSend | scene.urgent << 4;
            String what = source.pump(scene);
            return what != null && state == scene.source && left == (scene.toSend | scene.urgent << 4) ? null : what;
        });
        if (before.here == Here.STOPS) {
            move(Kind.ORDINARY, scene -> {
                scene.here = Here.STOPPED;
                source.step(scene, new SourceInput.GuestStopped());
                return "the guest has stopped";
            });
        }
        if (destination.machine(before).working()) {
            move(
                    Kind.ORDINARY,
                    scene -> destination.step(scene, new DestinationInput.WorkDone())
                            ? "the destination's guest has done its work"
                            : null);
        }
        if (main != null && !main.pinged) {
            move(Kind.ORDINARY, scene -> source.tick(scene, Clock.SIGN) ? "the source sends a PING" : null);
        }
    }

    private @Nullable String near(Scene scene, Line line) {
        if (line.near == Near.CONNECTING && !line.endBack) {
            if (line.silent()) {
                return null;
            }
            source.connected(scene, line);
            return "the " + line + " is connected";
        }
        if (line.near == Near.OPEN && line.back.length > 0) {
            String what = "the source reads " + Message.text(line.back[0]);
            source.deliver(scene, line);
            return what;
        }
        if (!line.endBack) {
            return null;
        }
        source.broken(scene, line);
        return "the source sees the end of its " + line;
    }

    private @Nullable String far(Scene scene, Line line) {
        if (line.far != Far.PENDING) {
            return destination.hear(scene, line);
        }
        if (line.silentThere) {
            return null;
        }
        line.order = scene.lastOrder() + 1;
        line.far = Far.CANDIDATE;
        return "the destination accepts the " + line;
    }

    private void guest() {
        SourceState state = source.state(before);
        boolean writes = state instanceof SourceState.Active || state instanceof SourceState.Stopping;
        if (writes && before.here != Here.STOPPED && (before.written & Scene.WRITTEN_HERE) == 0) {
            move(Kind.CHOICE, scene -> {
                scene.written |= Scene.WRITTEN_HERE;
                scene.unharvested |= Scene.WRITTEN_HERE;
                return "the guest writes to page 0 at the source";
            });
        }
        if (before.arrived && !before.touched && (before.received & Scene.TOUCHED) == 0) {
            move(Kind.CHOICE, scene -> {
                scene.touched = true;
                destination.request(scene);
                return "the guest touches page 3 at the destination, where it is missing";
            });
        }
        if (before.arrived && (before.received & ~before.own & Scene.TOUCHED) != 0 && before.postcopy) {
            move(Kind.CHOICE, scene -> {
                scene.own |= Scene.TOUCHED;
                return "the guest writes to page 3 at the destination";
            });
        }
    }

    private void operators() {
        for (SourceInput word : WORDS) {
            say(Kind.CHOICE, word, _ -> true);
        }
        say(Kind.CHOICE, new SourceInput.ResolveHere(), this::isHere);
        say(
                Kind.CHOICE,
                new SourceInput.ResolveThere(),
                scene -> destination.machine(scene).ran());
        say(
                Kind.CHOICE,
                new SourceInput.ResolveWhole(Integer.bitCount(before.toSend)),
                scene -> destination.state(scene) instanceof DestinationState.Completed);
        if (destination.state(before) instanceof DestinationState.Paused(DestinationState.Need need)
                && need != DestinationState.Need.NOTHING) {
            move(Kind.CHOICE, scene -> {
                int missing = Integer.bitCount(Scene.ALL & ~scene.received);
                destination.step(scene, new DestinationInput.AwaitRecovery(missing));
                return "the destination's operator says migrate-recover";
            });
        }
    }

    private void say(Kind kind, SourceInput word, Predicate<Scene> sensible) {
        boolean connects = word instanceof SourceInput.Resume || word instanceof SourceInput.Migrate;
        boolean again = word instanceof SourceInput.Migrate && !(source.state(before) instanceof SourceState.Idle);
        if (again || (connects && before.lines.size() + 1 >= MOST_LINES)) {
            return;
        }
        if (source.machine(before).refuse(word) != null || !sensible.test(before)) {
            return;
        }
        move(kind, scene -> {
            int state = scene.source;
            scene.resolvedHere |= word instanceof SourceInput.ResolveHere;
            scene.failuresLeft -= kind == Kind.FAILURE ? 1 : 0;
            source.step(scene, word);
            return state == scene.source ? null : "the source's operator says " + word;
        });
    }

    /** Neither does the destination have the guest nor is anything under way that could give it to it. */
    private boolean isHere(Scene scene) {
        DestinationState there = destination.state(scene);
        return !destination.machine(scene).ran()
                && (there instanceof DestinationState.Listening || there instanceof DestinationState.Failed)
                && scene.lines.stream().noneMatch(Line::mayDeliver);
    }

    private void time() {
        boolean quiet = !stirred;
        Line main = before.near(false);
        boolean silentHere = before.lines.stream().anyMatch(line -> line.near != Near.CLOSED && line.silent());
        Line far = before.far(Far.MAIN);
        boolean silentThere = far != null && far.silent();
        passes(quiet || silentHere, scene -> source.tick(scene, Clock.TIME_OUT) ? "the source's time is up" : null);
        passes(
                quiet || silentThere,
                scene -> destination.tick(scene, Clock.TIME_OUT) ? "the destination's time is up" : null);
        if (silentThere && destination.state(before) instanceof DestinationState.Active) {
            // A source that has not said yet that it PINGs may be a QEMU, which does not: an operator has to end it.
            move(Kind.CHOICE, scene -> {
                destination.step(scene, new DestinationInput.Broken(Channel.MAIN, "broken by the operator (yank)"));
                return "the destination's operator says yank";
            });
        }
        if (main != null && main.pinged && (quiet || main.silent())) {
            move(Kind.TIME, scene -> source.tick(scene, Clock.SIGN) ? "the source sends another PING" : null);
        }
        if (far != null && far.back.length == 0) {
            move(
                    Kind.TIME,
                    scene -> destination.tick(scene, Clock.SIGN) ? "the destination gives a sign of life" : null);
        }
        for (int i = 0; i < before.lines.size(); i++) {
            int number = i;
            Line line = before.lines.get(i);
            boolean maybePreempt = far != null && line.there.length == 0;
            if (line.far == Far.CANDIDATE && !maybePreempt) {
                passes(quiet, scene -> {
                    scene.lines.get(number).closeFar();
                    return "the destination waits no longer for a connection to show what it is";
                });
            }
        }
    }

    /** @param free it had to come; else it is one of the failures */
    private void passes(boolean free, Function<Scene, @Nullable String> action) {
        if (free) {
            move(Kind.TIME, action);
        } else if (before.failuresLeft > 0) {
            move(Kind.FAILURE, scene -> {
                scene.failuresLeft--;
                String what = action.apply(scene);
                return what == null ? null : what + ", too early";
            });
        }
    }

    private void failures() {
        for (int i = 0; i < before.lines.size(); i++) {
            Line line = before.lines.get(i);
            if (line.near == Near.CLOSED && line.far == Far.GONE) {
                continue;
            }
            if (!(line.endThere && line.endBack)) {
                fails(i, "is cut: what was under way still comes", broken -> broken.cut(false));
            }
            if (line.there.length + line.back.length > 0) {
                fails(i, "is cut: what was under way is lost", broken -> broken.cut(true));
            }
            if (!line.silentThere && !line.endThere) {
                fails(i, "carries nothing to the destination any more", broken -> broken.silentThere = true);
            }
            if (!line.silentBack && !line.endBack) {
                fails(i, "carries nothing to the source any more", broken -> broken.silentBack = true);
            }
        }
        say(Kind.FAILURE, new SourceInput.Pause(), _ -> true);
        say(Kind.FAILURE, new SourceInput.Cancel(), _ -> true);
        DestinationInput pause = new DestinationInput.Pause();
        if (destination.machine(before).refuse(pause) == null) {
            hears(pause, "the destination's operator says migrate-pause");
        }
        if (destination.machine(before).working()) {
            hears(new DestinationInput.WorkFailed("the disk failed", true), "the destination's disk fails");
        }
        if (destination.state(before) instanceof DestinationState.Loading) {
            hears(new DestinationInput.WorkFailed("unknown device", false), "the device state cannot be loaded");
        }
        if (before.here == Here.STOPS) {
            move(Kind.FAILURE, scene -> {
                scene.failuresLeft--;
                source.step(scene, new SourceInput.StopFailed("the disk failed"));
                return "the guest could not be stopped";
            });
        }
    }

    private void fails(int number, String what, java.util.function.Consumer<Line> fault) {
        move(Kind.FAILURE, scene -> {
            scene.failuresLeft--;
            Line line = scene.lines.get(number);
            String name = line.toString();
            fault.accept(line);
            return "a " + name + " " + what;
        });
    }

    private void hears(DestinationInput input, String what) {
        move(Kind.FAILURE, scene -> {
            scene.failuresLeft--;
            return destination.step(scene, input) ? what : null;
        });
    }
}
