// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.wire.StreamMessage;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every place of a destination against every input: {@code destination-machine.table} says what happens, and of what it does not name nothing happens at
 * all, not even unseen. The guest's own answers are {@link DestinationDialogue}'s.
 */
class DestinationTableTest {
    private static final String TABLE = "destination-machine.table";
    private static final Map<String, DestinationDialogue> PLACES = places();
    private static final Map<String, DestinationInput> INPUTS = inputs();

    private static Map<String, DestinationDialogue> places() {
        Map<String, UnaryOperator<DestinationDialogue>> ways = new LinkedHashMap<>();
        ways.put("idle", d -> d);
        ways.put("listening", DestinationDialogue::listening);
        ways.put("opened", DestinationDialogue::opened);
        ways.put("return path open", d -> d.opened().received(new StreamMessage.OpenReturnPath()));
        ways.put("advised", d -> d.opened().received(new StreamMessage.OpenReturnPath(), DestinationDialogue.advise()));
        ways.put(
                "active, not advised",
                d -> d.opened().received(new StreamMessage.OpenReturnPath(), DestinationDialogue.memory()));
        ways.put("active", DestinationDialogue::active);
        ways.put("loading after EOF", d -> d.active().guestWorks().ended(0));
        ways.put(
                "loading after EOF, no return path",
                d -> d.opened()
                        .received(DestinationDialogue.memory())
                        .guestWorks()
                        .ended(0));
        ways.put("loading PACKAGED", d -> d.active().guestWorks().packaged());
        ways.put(
                "loading PACKAGED, channel lost",
                d -> d.active().guestWorks().packaged().broken());
        ways.put("postcopy", DestinationDialogue::postcopy);
        ways.put("postcopy, ended", d -> d.postcopy().ended(3));
        ways.put("finishing", d -> d.postcopy().guestWorks().ended(0));
        ways.put(
                "finishing, channel lost",
                d -> d.postcopy().guestWorks().ended(0).broken());
        ways.put("mending", d -> d.postcopy().guestWorks().then(new DestinationInput.StorageFailed("no room")));
        ways.put(
                "paused, PACKAGED not kept",
                d -> d.active().guestWorks().packaged().then(new DestinationInput.WorkFailed("no room", true)));
        ways.put(
                "paused, to be mended",
                d -> d.postcopy()
                        .guestWorks()
                        .then(new DestinationInput.StorageFailed("no room"))
                        .then(new DestinationInput.WorkFailed("no room", true)));
        ways.put("paused", DestinationDialogue::paused);
        ways.put("recovery, nothing asked", d -> d.paused().sourceReturns());
        ways.put("recovery, one bitmap asked", d -> d.paused().sourceReturns().asked(0));
        ways.put("recovery, all asked", d -> d.paused().sourceReturns().asked(0).asked(1));
        ways.put(
                "held in the handshake",
                d -> d.paused().fragile().sourceReturns().asked(0).then(new DestinationInput.Pause()));
        ways.put(
                "recovered, the source may still wait for RESUME_ACK",
                d -> d.paused().fragile().sourceReturns().asked(0).asked(1).resume());
        ways.put(
                "held, RESUME_ACK answered",
                d -> d.paused()
                        .fragile()
                        .sourceReturns()
                        .asked(0)
                        .asked(1)
                        .resume()
                        .then(new DestinationInput.Pause()));
        ways.put("completed", d -> d.postcopy().ended(0));
        ways.put("completed, answering", d -> d.postcopy().ended(0).sourceReturns());
        ways.put(
                "completed, answered",
                d -> d.postcopy().ended(0).sourceReturns().asked(0).asked(1));
        ways.put("failed", d -> d.active().broken());
        Map<String, DestinationDialogue> places = new LinkedHashMap<>();
        ways.forEach((name, way) -> {
            DestinationDialogue dialogue =
                    way.apply(new DestinationDialogue(DestinationDialogue.POSTCOPY).after(60_000));
            dialogue.said();
            places.put(name, dialogue);
        });
        return places;
    }

    private static Map<String, DestinationInput> inputs() {
        Map<String, DestinationInput> inputs = new LinkedHashMap<>();
        inputs.put("incoming", new DestinationInput.Incoming());
        inputs.put("pause", new DestinationInput.Pause());
        inputs.put("revived", new DestinationInput.Revived());
        inputs.put("main-opened", new DestinationInput.MainOpened());
        inputs.put("recovery-opened", new DestinationInput.RecoveryOpened());
        inputs.put("bitmap-asked", new DestinationInput.BitmapAsked(0));
        inputs.put("other-bitmap-asked", new DestinationInput.BitmapAsked(1));
        inputs.put("packaged", new DestinationInput.Packaged(List.of(Wire.PING_LOADED)));
        inputs.put("ended-whole", new DestinationInput.Ended(0));
        inputs.put("ended-lacking", new DestinationInput.Ended(3));
        inputs.put("nothing-missing", new DestinationInput.NothingMissing());
        inputs.put("await-recovery", new DestinationInput.AwaitRecovery(3));
        inputs.put("work-done", new DestinationInput.WorkDone());
        inputs.put("work-failed", new DestinationInput.WorkFailed("no such device", false));
        inputs.put("work-failed-for-now", new DestinationInput.WorkFailed("no room", true));
        inputs.put("storage-failed", new DestinationInput.StorageFailed("no room"));
        inputs.put("broken", new DestinationInput.Broken(Channel.MAIN, "reset"));
        inputs.put("broken-preempt", new DestinationInput.Broken(Channel.PREEMPT, "reset"));
        inputs.put("tick", new DestinationInput.Tick(-1));
        inputs.put("tick-owed-for-long", new DestinationInput.Tick(0));
        Map<String, StreamMessage> messages = new LinkedHashMap<>();
        messages.put("header", new StreamMessage.Header());
        messages.put("configuration", StreamMessage.Configuration.of("test"));
        messages.put("open-return-path", new StreamMessage.OpenReturnPath());
        messages.put("advise", DestinationDialogue.advise());
        messages.put("advise-huge-pages", new StreamMessage.PostcopyAdvise(4096 | 2 << 20, 4096));
        messages.put("advise-huge-target-pages", new StreamMessage.PostcopyAdvise(4096, 2 << 20));
        messages.put("advise-no-ram", new StreamMessage.PostcopyAdviseNoRam());
        messages.put("start", StreamMessage.SectionStart.ram(2));
        messages.put("mem-size", DestinationDialogue.memory());
        messages.put("part", new StreamMessage.SectionPart(2));
        messages.put("end", new StreamMessage.SectionEnd(2));
        messages.put("end-of-records", new StreamMessage.EndOfRecords());
        messages.put("footer", new StreamMessage.Footer(2));
        messages.put("discard", new StreamMessage.RamDiscard("a", List.of(new StreamMessage.Range(0, 4096))));
        messages.put("listen", new StreamMessage.PostcopyListen());
        messages.put("run", new StreamMessage.PostcopyRun());
        messages.put("resume", new StreamMessage.PostcopyResume());
        messages.put("enable-colo", new StreamMessage.EnableColo());
        messages.put("switchover-start", new StreamMessage.SwitchoverStart());
        messages.put("device-state", new StreamMessage.DeviceState(new byte[] {1}));
        messages.put("vm-description", new StreamMessage.VmDescription(new byte[] {'{', '}'}));
        messages.put("multifd-flush", new StreamMessage.MultifdFlush());
        // An input of its own each; a session that gave them so would have a defect.
        messages.put("packaged-as-message", new StreamMessage.Packaged(new byte[] {1}));
        messages.put("eof-as-message", new StreamMessage.EndOfStream());
        messages.put("bitmap-asked-as-message", new StreamMessage.RecvBitmap("a"));
        messages.put("ping", new StreamMessage.Ping(Wire.PING_DISCARDED));
        messages.put("ping-alive", new StreamMessage.Ping(Wire.keepAlive(DestinationDialogue.NONCE)));
        messages.put("ping-of-another", new StreamMessage.Ping(Wire.keepAlive(DestinationDialogue.NONCE + 1)));
        messages.forEach((name, message) -> inputs.put(name, new DestinationInput.Received(message)));
        return inputs;
    }

    /** One cell: what the input does at this place. */
    private static String outcome(DestinationDialogue place, DestinationInput input) {
        long now = place.now() + 7_000 * DestinationDialogue.MILLIS - 1;
        DestinationDialogue dialogue = new DestinationDialogue(place.machine.copy(), now);
        DestinationInput given = input instanceof DestinationInput.Tick(long owed) && owed == 0
                ? new DestinationInput.Tick(now - 7_000 * DestinationDialogue.MILLIS)
                : input;
        return MachineTable.outcome(
                dialogue.machine.refuse(input),
                () -> dialogue.machine.fingerprint(now),
                () -> dialogue.then(given),
                dialogue::said);
    }

    private static String section(String place, DestinationDialogue dialogue) {
        return MachineTable.section(
                place, dialogue.machine.status() + facts(dialogue.machine), INPUTS, input -> outcome(dialogue, input));
    }

    /** What holds at a place while nothing comes. */
    private static String facts(DestinationMachine machine) {
        Map<String, Boolean> facts = new LinkedHashMap<>();
        facts.put("pages " + machine.pages(), machine.pages() != PageRule.NONE);
        facts.put("ran", machine.ran());
        facts.put("holds the guest's data", machine.holdsGuestData());
        facts.put("heard", machine.state().heard());
        facts.put("requests", machine.requests());
        facts.put("working", machine.working());
        facts.put("keeps the source waiting", machine.state().keepsWaiting());
        facts.put("recoverable", machine.recoverable());
        facts.put("holds a channel", machine.held());
        facts.put("says that it never ran", machine.neverRan() >= 0);
        return facts.entrySet().stream()
                .filter(Map.Entry::getValue)
                .map(fact -> "; " + fact.getKey())
                .collect(Collectors.joining());
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

    @Test
    void theTableNamesEveryPlaceAndEveryStateIsOne() throws IOException {
        MachineTable.isWhole(
                TABLE,
                PLACES.keySet(),
                PLACES.values().stream().map(place -> place.machine.state()),
                DestinationState.class,
                INPUTS.values().stream(),
                DestinationInput.class);
    }
}
