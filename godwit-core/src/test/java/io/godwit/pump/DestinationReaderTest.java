// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.Pages;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.MultifdParameters;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.Wire;
import io.godwit.wire.DeviceSectionBytes;
import io.godwit.wire.DeviceSections;
import io.godwit.wire.MultifdEncoder;
import io.godwit.wire.MultifdMessage;
import io.godwit.wire.PackagedBlob;
import io.godwit.wire.StreamContext;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamMessage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a source says at the wrong time, of what does not exist, or once more; and where its device state ends up. */
class DestinationReaderTest {
    static Stream<StreamMessage> outOfPlace() {
        return Stream.of(
                new StreamMessage.PostcopyListen(),
                new StreamMessage.PostcopyRun(),
                new StreamMessage.PostcopyResume(),
                new StreamMessage.EnableColo(),
                new StreamMessage.PostcopyAdviseNoRam(),
                new StreamMessage.RecvBitmap("a"),
                new StreamMessage.PostcopyAdvise(Pages.SIZE, Pages.SIZE));
    }

    @ParameterizedTest
    @MethodSource("outOfPlace")
    void aCommandOutOfPlaceFailsThePrecopyAndTheSourceIsTold(StreamMessage command) {
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY).active()) {
            talk.says(1, command);
            assertThat(talk.status()).isEqualTo(MigrationStatus.FAILED);
            assertThat(talk.closed).as("with SHUT 1").contains(1);
        }
    }

    @ParameterizedTest
    @MethodSource("outOfPlace")
    void aCommandOutOfPlacePausesThePostcopyAndKeepsAllPages(StreamMessage command) {
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY).postcopy()) {
            talk.says(1, new StreamMessage.SectionPart(1)).says(1, DestinationTalk.page(0, 1, true));
            talk.says(1, new StreamMessage.EndOfRecords(), new StreamMessage.Footer(1));
            talk.says(1, command);
            assertThat(talk.status()).isEqualTo(MigrationStatus.POSTCOPY_PAUSED);
            assertThat(talk.session.missing()).isEqualTo(2);
            assertThat(talk.content(0, 1)).startsWith(2, 0);
        }
    }

    @Test
    void aSwitchoverThatIsAnnouncedChangesNothing() {
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY).active()) {
            talk.says(1, new StreamMessage.SwitchoverStart()).packaged();
            assertThat(talk.status()).isEqualTo(MigrationStatus.POSTCOPY_ACTIVE);
        }
    }

    @Test
    void theBitmapOfABlockThatDoesNotExistIsRefusedByName() {
        try (DestinationTalk talk =
                new DestinationTalk(DestinationTalk.POSTCOPY).postcopy().breaks(1)) {
            talk.recovers(2).says(2, new StreamMessage.RecvBitmap("vga.vram"));
            assertThat(talk.failure).contains("no RAM block is named 'vga.vram'");
            assertThat(talk.status()).isEqualTo(MigrationStatus.POSTCOPY_PAUSED);
        }
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY).listening()) {
            talk.accepts(1).says(1, new StreamMessage.Header(), StreamMessage.Configuration.of("test"));
            talk.says(1, new StreamMessage.RecvBitmap("vga.vram"));
            assertThat(talk.failure)
                    .as("before a block list")
                    .contains("RAM block 'vga.vram' is named before the block list");
        }
    }

    /** Who has reached the port of a paused guest is dropped before any of it is taken, and what was loaded is what the guest runs on. */
    @Test
    void aRecoveryBringsNoDevices() {
        try (DestinationTalk talk =
                new DestinationTalk(DestinationTalk.POSTCOPY).postcopy().breaks(1)) {
            MachineState loaded = talk.loaded;
            for (int connection = 2; connection < 5; connection++) {
                talk.recovers(connection).says(connection, new byte[] {8, 0, 7, 0, 4});
                assertThat(talk.aborted.get(connection)).contains("PACKAGED in postcopy");
                assertThat(talk.status()).isEqualTo(MigrationStatus.POSTCOPY_PAUSED);
            }
            assertThat(talk.loaded).isSameAs(loaded);
            talk.recovers(5).says(5, new StreamMessage.RecvBitmap("b"), new StreamMessage.PostcopyResume());
            talk.allPages(5).ends(5);
            assertThat(talk.status()).isEqualTo(MigrationStatus.COMPLETED);
        }
    }

    /** Rule 8: a page that comes once more would undo the guest's own write. */
    @Test
    void whatComesOnceMoreAfterTheEndIsDroppedAndCounted() {
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY)
                .postcopy()
                .allPages(1)
                .ends(1)) {
            assertThat(talk.status()).isEqualTo(MigrationStatus.COMPLETED);
            talk.memory.block(0).putByte(Pages.SIZE, (byte) 99);
            talk.recovers(2).says(2, new StreamMessage.RecvBitmap("b"), new StreamMessage.PostcopyResume());
            talk.allPages(2);
            assertThat(talk.session.stats().duplicates()).isEqualTo(3);
            assertThat(talk.content(0, 1)).as("the guest's own write").startsWith(99, 0);
            talk.ends(2);
            assertThat(talk.closed).as("told that nothing is missing").contains(2);
        }
    }

    /** A precopy up to its EOF byte, as a QEMU with suppress-vmdesc=on sends it. */
    private static DestinationTalk undescribed(byte[] devices) {
        return devices(new DestinationTalk(DestinationTalk.POSTCOPY).active().allPages(1), devices);
    }

    private static DestinationTalk devices(DestinationTalk talk, byte[] devices) {
        talk.says(1, new StreamMessage.SectionEnd(1), new StreamMessage.EndOfRecords(), new StreamMessage.Footer(1));
        return talk.says(1, new StreamMessage.DeviceState(devices), new StreamMessage.EndOfStream());
    }

    @Test
    void whereNothingIsDescribedSilenceEndsTheStream() {
        byte[] devices = DeviceSections.encode(List.of(device("timer", 1), device("timer", 2)), 10);
        try (DestinationTalk talk = undescribed(devices)) {
            assertThat(talk.session.nextTick()).isEqualTo(1 + 2_000_000_000L);
            talk.session.tick(2_000_000_000L);
            assertThat(talk.status()).isEqualTo(MigrationStatus.ACTIVE);
            talk.session.tick(1 + 2_000_000_000L);
            assertThat(talk.status())
                    .as("what came while this loop itself stood still is read first")
                    .isEqualTo(MigrationStatus.ACTIVE);
            talk.session.tick(1 + 2_000_000_000L);
            assertThat(talk.status()).isEqualTo(MigrationStatus.COMPLETED);
            assertThat(Objects.requireNonNull(talk.loaded).devices()).isEqualTo(devices);
            assertThat(talk.session.nextTick()).isEqualTo(Long.MAX_VALUE);
        }
    }

    /** Else a few bytes that its guest has put into a device, and a path that stands still there, would end its migration in the middle of that. */
    @Test
    void aSourceThatNamesItsMigrationDescribesItsDevices() {
        byte[] devices = DeviceSections.encode(List.of(device("timer", 1)), 10);
        DestinationTalk named = new DestinationTalk(DestinationTalk.POSTCOPY).active();
        try (DestinationTalk talk = devices(named.named().allPages(1), devices)) {
            assertThat(talk.session.nextTick()).as("nothing is waited for here").isGreaterThan(1 + 2_000_000_000L);
            talk.session.ended(1, 1);
            assertThat(talk.status()).isEqualTo(MigrationStatus.ACTIVE);
            talk.says(1, new StreamMessage.VmDescription("{}".getBytes(StandardCharsets.US_ASCII)));
            assertThat(talk.session.nextTick())
                    .as("sections that it could not tell apart")
                    .isEqualTo(1 + 2_000_000_000L);
        }
    }

    @Test
    void whereNothingIsDescribedTheEndOfTheChannelEndsTheStream() {
        byte[] devices = DeviceSections.encode(List.of(device("timer", 1)), 10);
        try (DestinationTalk talk = undescribed(devices)) {
            talk.session.ended(2, 1);
            assertThat(talk.status()).as("another's end").isEqualTo(MigrationStatus.ACTIVE);
            talk.session.ended(1, 1);
            assertThat(talk.status()).isEqualTo(MigrationStatus.COMPLETED);
            assertThat(Objects.requireNonNull(talk.loaded).devices()).isEqualTo(devices);
        }
    }

    @Test
    void aChannelThatBreaksEndsNoStream() {
        try (DestinationTalk talk = undescribed(DeviceSections.encode(List.of(device("timer", 1)), 10))) {
            talk.breaks(1);
            assertThat(talk.status()).isEqualTo(MigrationStatus.FAILED);
        }
    }

    @Test
    void devicesThatWereSavedBeforeMemoryAreGivenApart() {
        byte[] early = DeviceSections.encode(List.of(device("early", 1), device("early", 2)), 10);
        byte[] late = DeviceSections.encode(List.of(device("late", 3)), 20);
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY).listening()) {
            talk.accepts(1).says(1, new StreamMessage.Header(), StreamMessage.Configuration.of("test"));
            talk.says(1, new StreamMessage.OpenReturnPath());
            talk.says(1, new StreamMessage.PostcopyAdvise(Pages.SIZE, Pages.SIZE));
            // In one piece, because a device section ends where something follows that can stand there.
            talk.says(1, both(early, bytesOfBlocks()));
            talk.says(1, new PackagedBlob(late, List.of(Wire.PING_LOADED)).encode());

            assertThat(talk.status()).isEqualTo(MigrationStatus.POSTCOPY_ACTIVE);
            MachineState loaded = Objects.requireNonNull(talk.loaded);
            assertThat(loaded.early()).isEqualTo(early);
            assertThat(loaded.devices()).isEqualTo(late);
            assertThat(loaded.all()).isEqualTo(both(early, late));
        }
    }

    private static DeviceSectionBytes device(String name, int instance) {
        return new DeviceSectionBytes(name, instance, 1, new byte[] {1, 2, (byte) instance});
    }

    private static byte[] bytesOfBlocks() {
        ByteBuffer out = ByteBuffer.allocate(500);
        for (StreamMessage message : List.of(
                StreamMessage.SectionStart.ram(1),
                StreamMessage.MemSize.of(DestinationTalk.BLOCKS),
                new StreamMessage.EndOfRecords(),
                new StreamMessage.Footer(1))) {
            StreamEncoder.write(message, out);
        }
        byte[] bytes = new byte[out.flip().remaining()];
        out.get(bytes);
        return bytes;
    }

    private static byte[] both(byte[] first, byte[] second) {
        return ByteBuffer.allocate(first.length + second.length)
                .put(first)
                .put(second)
                .array();
    }

    /** Its pages may have come among this attempt's, before main said which attempt this is. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aMultifdChannelOfAnEarlierAttemptFailsThePrecopyAtItsEnd(boolean postcopy) {
        MultifdParameters two = MultifdParameters.DEFAULT.withChannels(2);
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY.withMultifd(two)).active()) {
            for (int id = 0; id < 2; id++) {
                ByteBuffer init = ByteBuffer.allocate(MultifdEncoder.INIT_SIZE + 2 * MultifdEncoder.SYNC_SIZE);
                int attempt = Wire.keepAlive(DestinationTalk.NONCE + 1);
                MultifdEncoder.init(new MultifdMessage.Init(MultifdMessage.Init.NO_UUID, id, attempt), init);
                // For the end of the section that carries the block list, and of the last one.
                MultifdEncoder.sync(init, 1);
                MultifdEncoder.sync(init, 2);
                talk.accepts(2 + id).says(2 + id, init.array());
            }
            talk.named();
            assertThat(talk.status()).as("nothing is known to be wrong").isEqualTo(MigrationStatus.ACTIVE);
            if (postcopy) {
                talk.packaged();
            } else {
                talk.ends(1);
            }
            assertThat(talk.status()).isEqualTo(MigrationStatus.FAILED);
            assertThat(talk.failure).contains("channel 0 belongs to an earlier attempt; migrate again");
            assertThat(talk.loaded).as("nothing of it was believed").isNull();
        }
    }

    /** The guest's UUID tells one machine's channels from another's, where the operator has said it. */
    @Test
    void aMultifdChannelOfAnotherMachineIsDroppedAndOneThatEndsTooEarlyFailsThePrecopy() {
        UUID ours = new UUID(1, 2);
        MultifdParameters two = MultifdParameters.DEFAULT.withChannels(2).withUuid(ours);
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY.withMultifd(two)).active()) {
            talk.accepts(2).says(2, init(new UUID(1, 3), 0));
            assertThat(talk.aborted.get(2)).contains(new UUID(1, 3).toString());
            talk.accepts(3).says(3, init(ours, 0));
            assertThat(talk.aborted).doesNotContainKey(3);
            talk.breaks(3);
            // Main waits at the end of its first section for a channel that will never come there.
            assertThat(talk.status()).isEqualTo(MigrationStatus.FAILED);
            assertThat(talk.failure).contains("channel 0 has ended before the sync point");
        }
    }

    /** Once main has said which attempt this is, the channel that says so, too, is the source's, and another that claims its place is not. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aSecondChannelOfTheSameNumberIsAStrangerOnlyWhereTheFirstIsKnownToBeTheSources(boolean known) {
        MultifdParameters two = MultifdParameters.DEFAULT.withChannels(2);
        UUID none = MultifdMessage.Init.NO_UUID;
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY.withMultifd(two)).listening()) {
            talk.accepts(1).says(1, new StreamMessage.Header(), StreamMessage.Configuration.of("test"));
            talk.says(1, new StreamMessage.OpenReturnPath()).named();
            talk.accepts(2).says(2, init(none, 0, known ? Wire.keepAlive(DestinationTalk.NONCE) : 0));
            talk.accepts(3).says(3, init(none, 0, 0));
            assertThat(talk.status()).isEqualTo(known ? MigrationStatus.ACTIVE : MigrationStatus.FAILED);
            assertThat(talk.aborted).containsKey(3);
            if (known) {
                assertThat(talk.aborted.get(3)).isEqualTo("it says that it is channel 0 of this migration, and is not");
            }
        }
    }

    private static byte[] init(UUID uuid, int id) {
        return init(uuid, id, 0);
    }

    private static byte[] init(UUID uuid, int id, int attempt) {
        ByteBuffer init = ByteBuffer.allocate(MultifdEncoder.INIT_SIZE);
        MultifdEncoder.init(new MultifdMessage.Init(uuid, id, attempt), init);
        return init.array();
    }

    // ---- what an earlier process left

    @Test
    void anInterruptedDestinationKnowsWhatItLacksAndPlacesNothingElse() {
        try (DestinationTalk talk =
                new DestinationTalk(DestinationTalk.POSTCOPY).postcopy().breaks(1)) {
            DestinationSession again = DestinationSession.interrupted(
                    DestinationTalk.POSTCOPY,
                    Parameters.DEFAULT,
                    talk.guest,
                    context(DestinationTalk.BLOCKS),
                    talk.host);
            assertThat(again.missing()).isEqualTo(3);
            assertThat(again.machine().status()).isEqualTo(MigrationStatus.POSTCOPY_PAUSED);
            assertThat(again.machine().recoverable()).isTrue();
        }
    }

    @Test
    void anInterruptedDestinationThatLacksNothingOnlyMakesSureOfIt() {
        try (DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY)
                .postcopy()
                .allPages(1)
                .breaks(1)) {
            DestinationSession again = DestinationSession.interrupted(
                    DestinationTalk.POSTCOPY,
                    Parameters.DEFAULT,
                    talk.guest,
                    context(DestinationTalk.BLOCKS),
                    talk.host);
            assertThat(again.operator(new DestinationInput.AwaitRecovery(again.missing()), 1))
                    .isNull();
            assertThat(again.machine().status()).isEqualTo(MigrationStatus.COMPLETED);
        }
    }

    static Stream<Arguments> otherMemories() {
        BlockInfo a = BlockInfo.of("a", 2 * Pages.SIZE);
        return Stream.of(
                Arguments.of(List.of(a), "the source has 1 RAM blocks, there are 2 here"),
                Arguments.of(
                        List.of(a, BlockInfo.of("c", Pages.SIZE)),
                        "the source has a RAM block 'c', which does not exist here"),
                Arguments.of(
                        List.of(a, BlockInfo.of("b", 2 * Pages.SIZE)),
                        "RAM block 'b' has 8192 bytes at the source and 4096 here: start both with the same memory size"));
    }

    @ParameterizedTest
    @MethodSource("otherMemories")
    void anInterruptedDestinationWhoseMemoryIsNotTheSourcesIsRefused(List<BlockInfo> blocks, String sentence) {
        try (DestinationTalk talk =
                new DestinationTalk(DestinationTalk.POSTCOPY).postcopy().breaks(1)) {
            assertThatThrownBy(() -> DestinationSession.interrupted(
                            DestinationTalk.POSTCOPY, Parameters.DEFAULT, talk.guest, context(blocks), talk.host))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(sentence);
        }
    }

    private static StreamContext context(List<BlockInfo> blocks) {
        return new StreamContext(new BlockTable(blocks), 1);
    }
}
