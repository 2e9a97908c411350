// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.PageBitmap;
import io.godwit.wire.ReturnPathMessage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every place of a source against every input: {@code source-machine.table} says what happens, and of what it does not name nothing happens at all, not
 * even unseen.
 */
class SourceTableTest {
    private static final String TABLE = "source-machine.table";
    private static final Map<String, SourceDialogue> PLACES = places();
    private static final Map<String, SourceInput> INPUTS = inputs();

    private static SourceDialogue of(MigrationOptions options, UnaryOperator<SourceDialogue> way) {
        SourceDialogue dialogue = way.apply(new SourceDialogue(options));
        dialogue.said();
        return dialogue;
    }

    private static SourceDialogue recovering(UnaryOperator<SourceDialogue> lost) {
        return of(SourceDialogue.POSTCOPY, d -> lost.apply(d).then(new SourceInput.Resume()));
    }

    private static Map<String, SourceDialogue> places() {
        Map<String, SourceDialogue> places = new LinkedHashMap<>();
        MigrationOptions postcopy = SourceDialogue.POSTCOPY;
        UnaryOperator<SourceDialogue> paused =
                d -> d.active().switched().proven().broken();
        UnaryOperator<SourceDialogue> uncertain = d -> d.active().switched().broken();
        UnaryOperator<SourceDialogue> unproven = d -> d.active().awaitingShut().broken();
        places.put("idle", of(postcopy, d -> d));
        places.put("setup", of(postcopy, d -> d.then(new SourceInput.Migrate())));
        places.put("active", of(postcopy, SourceDialogue::active));
        places.put(
                "active, preempt channel to come",
                of(SourceDialogue.PREEMPT, d -> d.active().then(new SourceInput.StartPostcopy())));
        places.put("stopping", of(postcopy, d -> d.active().estimate(0)));
        places.put(
                "pre-switchover",
                of(SourceDialogue.HOLDING, d -> d.active().estimate(0).then(new SourceInput.GuestStopped())));
        places.put("last pages", of(postcopy, d -> d.active().estimate(0).then(new SourceInput.GuestStopped())));
        places.put(
                "EOF to be written",
                of(
                        postcopy,
                        d -> d.active()
                                .estimate(0)
                                .then(new SourceInput.GuestStopped())
                                .then(new SourceInput.NothingLeft())));
        places.put(
                "PACKAGED to be written",
                of(
                        postcopy,
                        d -> d.active()
                                .then(new SourceInput.StartPostcopy())
                                .estimate(1 << 30)
                                .then(new SourceInput.GuestStopped())));
        places.put("awaiting SHUT", of(postcopy, d -> d.active().awaitingShut()));
        places.put("postcopy, unproven", of(postcopy, d -> d.active().switched()));
        places.put("postcopy", of(postcopy, d -> d.active().switched().proven()));
        places.put(
                "postcopy, ended",
                of(postcopy, d -> d.active().switched().proven().then(new SourceInput.NothingLeft())));
        places.put("paused", of(postcopy, paused));
        places.put(
                "paused, everything was sent",
                of(
                        postcopy,
                        d -> d.active()
                                .switched()
                                .proven()
                                .then(new SourceInput.NothingLeft())
                                .broken()));
        places.put("uncertain after postcopy", of(postcopy, uncertain));
        places.put("uncertain after precopy", of(postcopy, unproven));
        places.put("recovery connects", recovering(paused));
        places.put("recovery from uncertain connects", recovering(uncertain));
        places.put(
                "bitmaps awaited",
                of(postcopy, d -> paused.apply(d).then(new SourceInput.Resume()).connected()));
        places.put(
                "bitmaps awaited, from uncertain",
                of(
                        postcopy,
                        d -> uncertain.apply(d).then(new SourceInput.Resume()).connected()));
        places.put(
                "preempt channel awaited",
                of(
                        SourceDialogue.PREEMPT,
                        d -> paused.apply(d)
                                .then(new SourceInput.Resume())
                                .connected()
                                .bitmap(0)
                                .bitmap(1)));
        places.put(
                "RESUME_ACK awaited",
                of(
                        postcopy,
                        d -> paused.apply(d)
                                .then(new SourceInput.Resume())
                                .connected()
                                .bitmap(0)
                                .bitmap(1)));
        places.put(
                "held, bitmaps awaited",
                of(
                        postcopy,
                        d -> paused.apply(d)
                                .fragile()
                                .then(new SourceInput.Resume())
                                .connected()
                                .then(new SourceInput.Pause())));
        places.put(
                "held, from uncertain",
                of(
                        postcopy,
                        d -> uncertain
                                .apply(d)
                                .fragile()
                                .then(new SourceInput.Resume())
                                .connected()
                                .then(new SourceInput.Pause())));
        places.put(
                "held, RESUME_ACK awaited",
                of(
                        postcopy,
                        d -> paused.apply(d)
                                .fragile()
                                .then(new SourceInput.Resume())
                                .connected()
                                .bitmap(0)
                                .bitmap(1)
                                .tickAfter(10_000)));
        places.put(
                "RESUME_ACK awaited of one that must not be left",
                of(
                        SourceDialogue.PREEMPT,
                        d -> paused.apply(d)
                                .fragile()
                                .then(new SourceInput.Resume())
                                .connected()
                                .then(new SourceInput.Connected(Channel.PREEMPT))
                                .bitmap(0)
                                .bitmap(1)));
        places.put(
                "completed",
                of(postcopy, d -> d.active().awaitingShut().received(new ReturnPathMessage.Shut(Wire.SHUT_OK))));
        places.put(
                "completed, nobody said so",
                of(
                        SourceDialogue.ONE_WAY,
                        d -> d.then(new SourceInput.Migrate())
                                .connected()
                                .awaitingShut()
                                .written(SourceInput.Mark.END)));
        places.put("failed", of(postcopy, d -> d.active().broken()));
        places.put("cancelled", of(postcopy, d -> d.active().then(new SourceInput.Cancel())));
        return places;
    }

    private static Map<String, SourceInput> inputs() {
        Map<String, SourceInput> inputs = new LinkedHashMap<>();
        inputs.put("migrate", new SourceInput.Migrate());
        inputs.put("resume", new SourceInput.Resume());
        inputs.put("start-postcopy", new SourceInput.StartPostcopy());
        inputs.put("continue", new SourceInput.Continue());
        inputs.put("pause", new SourceInput.Pause());
        inputs.put("cancel", new SourceInput.Cancel());
        inputs.put("resolve-here", new SourceInput.ResolveHere());
        inputs.put("resolve-there", new SourceInput.ResolveThere());
        inputs.put("resolve-whole", new SourceInput.ResolveWhole(0));
        inputs.put("resolve-unsent", new SourceInput.ResolveWhole(1));
        inputs.put("revived", new SourceInput.Revived());
        inputs.put("connected", new SourceInput.Connected(Channel.MAIN));
        inputs.put("connected-preempt", new SourceInput.Connected(Channel.PREEMPT));
        inputs.put("broken", new SourceInput.Broken(Channel.MAIN, "reset"));
        inputs.put("broken-preempt", new SourceInput.Broken(Channel.PREEMPT, "reset"));
        inputs.put("guest-stopped", new SourceInput.GuestStopped());
        inputs.put("stop-failed", new SourceInput.StopFailed("no room"));
        inputs.put("storage-failed", new SourceInput.StorageFailed("page 3 is damaged"));
        inputs.put("estimate-much", new SourceInput.Estimate(1L << 40, 1_000_000));
        inputs.put("estimate-none", new SourceInput.Estimate(0, 0));
        inputs.put("nothing-left", new SourceInput.NothingLeft());
        inputs.put("written-commit", new SourceInput.Written(SourceInput.Mark.COMMIT));
        inputs.put("written-end", new SourceInput.Written(SourceInput.Mark.END));
        inputs.put("written-ping", new SourceInput.Written(SourceInput.Mark.PING));
        inputs.put("tick", new SourceInput.Tick());
        Map<String, ReturnPathMessage> messages = new LinkedHashMap<>();
        messages.put("pong-loaded", new ReturnPathMessage.Pong(Wire.PING_LOADED));
        messages.put("pong-alive", new ReturnPathMessage.Pong(Wire.keepAlive(SourceDialogue.NONCE)));
        messages.put("switchover-ack", new ReturnPathMessage.SwitchoverAck());
        messages.put("shut-ok", new ReturnPathMessage.Shut(Wire.SHUT_OK));
        messages.put("shut-failed", new ReturnPathMessage.Shut(Wire.SHUT_FAILED));
        messages.put("shut-never-ran", new ReturnPathMessage.Shut(Wire.neverRan(SourceDialogue.NONCE)));
        messages.put("shut-other-never-ran", new ReturnPathMessage.Shut(Wire.neverRan(SourceDialogue.NONCE + 1)));
        messages.put("request", new ReturnPathMessage.ReqPages(0, 4096));
        messages.put("named-request", new ReturnPathMessage.ReqPagesId("a", 0, 4096));
        messages.put("bitmap", new ReturnPathMessage.RecvBitmap(0, new PageBitmap(1)));
        messages.put("resume-ack", new ReturnPathMessage.ResumeAck(1));
        messages.put("resume-ack-0", new ReturnPathMessage.ResumeAck(0));
        messages.forEach((name, message) -> inputs.put(name, new SourceInput.Received(message)));
        return inputs;
    }

    /** One cell: what the input does at this place. */
    private static String outcome(SourceDialogue place, SourceInput input) {
        SourceMachine machine = place.machine.copy();
        long now = place.now() + 1;
        SourceState state = machine.state();
        List<String> effects = new ArrayList<>();
        return MachineTable.outcome(
                machine.refuse(input),
                () -> machine.fingerprint(now),
                () -> machine.handle(input, now, effect -> effects.add(SourceDialogue.word(effect))),
                () -> {
                    List<String> said = new ArrayList<>();
                    if (!machine.state().equals(state)) {
                        said.add(machine.state().toString());
                    }
                    said.addAll(effects);
                    return said;
                });
    }

    private static String section(String place, SourceDialogue dialogue) {
        return MachineTable.section(
                place, dialogue.machine.state().toString(), INPUTS, input -> outcome(dialogue, input));
    }

    static Stream<String> placeNames() {
        return PLACES.keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("placeNames")
    void whatHappensIsWhatTheTableSays(String place) throws IOException {
        assertThat(section(place, Objects.requireNonNull(PLACES.get(place))))
                .isEqualTo(MachineTable.read(TABLE).get(place));
    }

    /** An operator's word is refused before it is given; one that slips through (two at once, a defect) must not do harm either. */
    @ParameterizedTest
    @MethodSource("placeNames")
    void aRefusedWordThatIsGivenAllTheSameChangesNothing(String place) {
        SourceDialogue dialogue = Objects.requireNonNull(PLACES.get(place));
        for (SourceInput input : List.of(
                new SourceInput.Resume(),
                new SourceInput.Continue(),
                new SourceInput.Cancel(),
                new SourceInput.ResolveThere())) {
            SourceMachine machine = dialogue.machine.copy();
            if (machine.refuse(input) == null) {
                continue;
            }
            long now = dialogue.now();
            String before = machine.fingerprint(now);
            List<SourceEffect> effects = new ArrayList<>();
            if (input instanceof SourceInput.Resume) {
                assertThatThrownBy(() -> machine.handle(input, now, effects::add))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("resume in " + machine.state());
            } else {
                machine.handle(input, now, effects::add);
            }
            assertThat(effects).as("%s said to %s", place, input).isEmpty();
            assertThat(machine.fingerprint(now)).as("%s after %s", place, input).isEqualTo(before);
        }
    }

    @Test
    void theTableNamesEveryPlaceAndEveryStateIsOne() throws IOException {
        MachineTable.isWhole(
                TABLE,
                PLACES.keySet(),
                PLACES.values().stream().map(place -> place.machine.state()),
                SourceState.class,
                INPUTS.values().stream(),
                SourceInput.class);
    }
}
