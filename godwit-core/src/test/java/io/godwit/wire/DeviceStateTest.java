// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static io.godwit.wire.Wire.afterConfiguration;
import static io.godwit.wire.Wire.afterEnd;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.wire.StreamMessage.DeviceState;
import io.godwit.wire.StreamMessage.EndOfStream;
import io.godwit.wire.StreamMessage.Packaged;
import io.godwit.wire.StreamMessage.Ping;
import io.godwit.wire.StreamMessage.SectionStart;
import io.godwit.wire.StreamMessage.VmDescription;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceStateTest {
    private static final DeviceSectionBytes TIMER = new DeviceSectionBytes("timer", 0, 2, new byte[] {1, 2, 3});
    private static final DeviceSectionBytes EMPTY = new DeviceSectionBytes("0000:00:01.1/ide", -1, 1, new byte[0]);

    private static byte[] json(DeviceSectionBytes... devices) {
        StringBuilder text = new StringBuilder("{\"devices\": [");
        for (DeviceSectionBytes d : devices) {
            text.append(text.toString().endsWith("[") ? "" : ", ")
                    .append("{\"name\": \"%s\", \"instance_id\": %d, \"fields\": [{\"size\": %d}]}"
                            .formatted(d.idstr(), Integer.toUnsignedLong(d.instanceId()), d.body().length));
        }
        return text.append("]}").toString().getBytes(UTF_8);
    }

    private static DeviceSectionBytes device(String name, byte[] body) {
        return new DeviceSectionBytes(name, 0, 1, body);
    }

    @Test
    void sectionsAreFoundAgain() throws Exception {
        byte[] run = DeviceSections.encode(List.of(TIMER, EMPTY, TIMER), 4);

        assertThat(DeviceSections.scan(run)).containsExactly(TIMER, EMPTY, TIMER);
        assertThat(DeviceSections.scan(new byte[0])).isEmpty();
        assertThat(DeviceSections.cut(run, DescribedDevice.parse(json(TIMER, EMPTY, TIMER), 0)))
                .containsExactly(TIMER, EMPTY, TIMER);
    }

    /** What Godwit says itself of sections that came without a description. */
    @Test
    void aDescriptionOfOurOwnCutsTheRunAgain() throws Exception {
        DeviceSectionBytes odd = device("a \"b\" \\c", new byte[300]);
        List<DeviceSectionBytes> sections = List.of(TIMER, EMPTY, odd);
        byte[] json = DeviceSections.describe(sections);

        assertThat(DeviceSections.cut(DeviceSections.encode(sections, 4), DescribedDevice.parse(json, 0)))
                .isEqualTo(sections);
        assertThat(new String(DeviceSections.describe(List.of(TIMER)), UTF_8))
                .isEqualTo("{\"page_size\": 4096, \"devices\": [{\"name\": \"timer\", \"instance_id\": 0, \"size\": 3, "
                        + "\"fields\": [{\"name\": \"data\", \"size\": 3, \"type\": \"buffer\"}]}]}");
        assertThat(new String(DeviceSections.describe(List.of()), UTF_8))
                .isEqualTo("{\"page_size\": 4096, \"devices\": []}");
    }

    @Test
    void aFooterInsideABodyDoesNotMislead() throws Exception {
        byte[] footer = {0x7e, 0, 0, 0, 4};
        byte[] footerAndType = {0x7e, 0, 0, 0, 4, 4, 0, 0, 0, 6, 3, 'a', 'b', 'c', 0, 0, 0, 0, 0, 0, 0, 1, 9};
        DeviceSectionBytes one = device("one", footer);
        DeviceSectionBytes two = device("two", footerAndType);

        assertThat(DeviceSections.scan(DeviceSections.encode(List.of(one, TIMER), 4)))
                .containsExactly(one, TIMER);
        // Here the first border that one meets leads into a section that never ends.
        assertThat(DeviceSections.scan(DeviceSections.encode(List.of(two, TIMER), 4)))
                .containsExactly(two, TIMER);
    }

    @Test
    void whatIsNoRunOfSectionsIsRefused() {
        byte[] run = DeviceSections.encode(List.of(TIMER, EMPTY), 4);

        assertThatThrownBy(() -> DeviceSections.scan(Arrays.copyOf(run, run.length - 1)))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("no run of device sections");
        assertThatThrownBy(() -> DeviceSections.scan(new byte[5])).hasMessageContaining("no run of device sections");
        assertThatThrownBy(() -> DeviceSections.cut(run, DescribedDevice.parse(json(TIMER), 0)))
                .hasMessageContaining("not described");
        assertThatThrownBy(() -> DeviceSections.cut(run, DescribedDevice.parse(json(EMPTY, TIMER), 0)))
                .hasMessageContaining("no device section that ends as described");
        assertThatThrownBy(() ->
                        DeviceSections.cut(run, DescribedDevice.parse(json(device("x", TIMER.body()), EMPTY), 0)))
                .hasMessageContaining("section 'timer' instance 0 where 'x' instance 0 is described");
    }

    /** Sections of the same id: each may end at its own footer or at any later one, and none of these chains reaches the end. */
    private static byte[] ambiguous(int sections) {
        byte[] one = DeviceSections.encode(List.of(device("a", new byte[0])), 4);
        Wire run = new Wire();
        for (int i = 0; i < sections; i++) {
            run.bytes(one);
        }
        return Arrays.copyOf(run.toBytes(), run.size() - 1);
    }

    @Test
    void noPlaceIsTriedTwice() {
        assertThatThrownBy(() -> DeviceSections.scan(ambiguous(300)))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("no run of device sections");
    }

    @Test
    void whatTakesTooLongIsGivenUp() {
        assertThatThrownBy(() -> DeviceSections.scan(ambiguous(4_000)))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("too ambiguous");
        assertThatThrownBy(() -> DeviceSections.scan(ambiguous(5_000)))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("more than 4096 device sections");
    }

    @Test
    void thePackageIsTakenApartAndPutTogether() throws Exception {
        PackagedBlob blob = new PackagedBlob(DeviceSections.encode(List.of(TIMER), 7), List.of(3, 0x42));

        assertThat(PackagedBlob.parse(blob.encode(), 0)).isEqualTo(blob);
        PackagedBlob bare = new PackagedBlob(new byte[0], List.of());
        assertThat(PackagedBlob.parse(bare.encode(), 0)).isEqualTo(bare);
        assertThat(bare.encode().blob()).containsExactly(8, 0, 4, 0, 0, 8, 0, 5, 0, 0);
    }

    @Test
    void aPackageOfAnotherFormIsRefused() {
        byte[] listen = {8, 0, 4, 0, 0};
        byte[] run = {8, 0, 5, 0, 0};
        byte[] good = new Wire().bytes(listen).bytes(run).toBytes();

        assertThatThrownBy(() -> parse(new byte[0])).hasMessageContaining("byte 100: the PACKAGED blob does not begin");
        assertThatThrownBy(() -> parse(new Wire().bytes(run).bytes(run).toBytes()))
                .hasMessageContaining("begin with LISTEN");
        assertThatThrownBy(() -> parse(new Wire().bytes(listen).bytes(listen).toBytes()))
                .hasMessageContaining("byte 105: the PACKAGED blob does not end with RUN");
        assertThatThrownBy(() -> parse(new Wire()
                        .bytes(listen)
                        .zeros(40)
                        .message(new Ping(3))
                        .bytes(run)
                        .toBytes()))
                .hasMessageContaining("byte 105: 40 bytes in the PACKAGED blob that are no device sections");
        assertThatThrownBy(() -> parse(Arrays.copyOf(good, 9))).isInstanceOf(WireException.class);
        // A section that begins and doesn't end, one that ends and didn't begin, and more PINGs than any source sends.
        byte[] open = DeviceSections.encode(List.of(TIMER), 7);
        byte[] shut = open.clone();
        open[open.length - 5] = 1;
        shut[0] = 1;
        for (byte[] wrong : List.of(open, shut)) {
            assertThatThrownBy(() -> parse(
                            new Wire().bytes(listen).bytes(wrong).bytes(run).toBytes()))
                    .hasMessageContaining(wrong.length + " bytes in the PACKAGED blob that are no device sections");
        }
        PackagedBlob noisy = new PackagedBlob(new byte[0], java.util.Collections.nCopies(17, 3));
        assertThatThrownBy(() -> PackagedBlob.parse(noisy.encode(), 0))
                .hasMessageContaining("9 bytes in the PACKAGED blob that are no device sections");
    }

    private static PackagedBlob parse(byte[] blob) throws WireException {
        return PackagedBlob.parse(new Packaged(blob), 100);
    }

    @Test
    void theRunEndsWhereItsDescriptionFits() throws Exception {
        byte[] fakeJson = json(TIMER);
        Wire fake = new Wire()
                .u8(0x7e)
                .u32(4)
                .u8(0, 6)
                .u32(fakeJson.length)
                .bytes(fakeJson)
                .u8(1, 2, 3);
        DeviceSectionBytes liar = device("liar", fake.toBytes());
        DeviceState state = new DeviceState(DeviceSections.encode(List.of(liar, TIMER), 4));
        VmDescription description = new VmDescription(json(liar, TIMER));
        Wire stream = afterEnd().message(state).message(new EndOfStream()).message(description);

        assertThat(stream.decode(DecoderOptions.PLAIN)).endsWith(state, new EndOfStream(), description);
        assertThatThrownBy(() -> stream.u8(0).decode(DecoderOptions.PLAIN))
                .hasMessageContaining("1 bytes after the end");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 17, 10_000})
    void aDescriptionWithWrongSizesEndsTheRunIfItNamesTheSections(int piece) throws Exception {
        DeviceState state = new DeviceState(DeviceSections.encode(List.of(TIMER, EMPTY), 4));
        VmDescription description = new VmDescription(json(TIMER, sized(EMPTY, 77)));

        assertThat(inPieces(state, description, piece)).endsWith(state, new EndOfStream(), description);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 17, 10_000})
    void aDescriptionOfOtherDevicesIsNoneWhereverAPieceEnds(int piece) throws Exception {
        DeviceState state = new DeviceState(DeviceSections.encode(List.of(TIMER, EMPTY), 4));
        VmDescription description =
                new VmDescription(json(TIMER, new DeviceSectionBytes("another", EMPTY.instanceId(), 1, new byte[77])));

        assertThat(inPieces(state, description, piece)).doesNotContain(new EndOfStream());
    }

    private static DeviceSectionBytes sized(DeviceSectionBytes device, int bytes) {
        return new DeviceSectionBytes(device.idstr(), device.instanceId(), device.versionId(), new byte[bytes]);
    }

    private static List<StreamMessage> inPieces(DeviceState state, VmDescription description, int piece)
            throws Exception {
        byte[] bytes = afterEnd()
                .message(state)
                .message(new EndOfStream())
                .message(description)
                .toBytes();
        StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN);
        List<StreamMessage> messages = new java.util.ArrayList<>();
        new Feed(bytes, StreamDecoder.MIN_BUFFER)
                .<StreamMessage>all(Feed.Pieces.of(piece), decoder::next, messages::add);
        return messages;
    }

    @Test
    void manyFakesCostLittle() {
        byte[] unit = new Wire().u8(0x7e).u32(4).u8(0, 6).u32(400).u8('{').toBytes();
        Wire body = new Wire();
        for (int i = 0; i < 2_000; i++) {
            body.bytes(unit).u8('}');
        }
        DeviceState state = new DeviceState(DeviceSections.encode(List.of(device("liar", body.toBytes())), 4));

        StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN);
        assertThat(afterEnd().message(state).refusal(decoder)).hasMessageContaining("places that look like its end");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 17, 10_000})
    void earlyDevicesComeOneByOneFromAnySplit(int piece) throws Exception {
        byte[] first = DeviceSections.encode(List.of(TIMER), 1);
        byte[] second = DeviceSections.encode(List.of(EMPTY), 2);
        byte[] body = new byte[40_000];
        new Random(1).nextBytes(body);
        byte[] third = DeviceSections.encode(List.of(device("large", body)), 3);
        DeviceState late = new DeviceState(DeviceSections.encode(List.of(TIMER), 9));
        VmDescription description = new VmDescription(json(TIMER, EMPTY, device("large", body), TIMER));
        Wire stream = afterConfiguration()
                .bytes(first)
                .bytes(second)
                .message(new Ping(1))
                .bytes(third)
                .message(SectionStart.ram(Wire.RAM_ID))
                .message(StreamMessage.MemSize.of(Wire.BLOCKS.list()))
                .endOfSection()
                .message(new StreamMessage.SectionEnd(Wire.RAM_ID))
                .endOfSection()
                .message(late)
                .message(new EndOfStream())
                .message(description);
        StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN);
        Echo echo = new Echo(stream.toBytes());
        List<StreamMessage> devices = new java.util.ArrayList<>();

        new Feed(stream.toBytes(), StreamDecoder.MIN_BUFFER)
                .<StreamMessage>all(Feed.Pieces.of(piece), decoder::next, message -> {
                    echo.expect(message);
                    if (message instanceof DeviceState) {
                        devices.add(message);
                    }
                });

        assertThat(decoder.ended()).isTrue();
        assertThat(devices)
                .containsExactly(new DeviceState(first), new DeviceState(second), new DeviceState(third), late);
    }

    /** A footer of the device's own id, and behind it what looks like the next element but cannot be it. */
    private static byte[] imitations(int id, int[]... following) {
        Wire body = new Wire();
        for (int[] next : following) {
            body.u8(0x7e).u32(id).u8(next);
        }
        return body.u8(9).toBytes();
    }

    private static final int[] OTHER_SECTION = {2, 0, 0, 0, Wire.RAM_ID + 1};
    private static final int[] UNKNOWN_COMMAND = {8, 0, 99, 0, 0};
    private static final int[] PING_OF_FIVE_BYTES = {8, 0, 2, 0, 5};
    private static final int[] NAME_WITH_DEL = {4, 0, 0, 0, 5, 2, 'a', 0x7f, 0, 0, 0, 0, 0, 0, 0, 1};
    private static final int[] NAME_WITH_NEWLINE = {4, 0, 0, 0, 5, 2, '\n', 'a', 0, 0, 0, 0, 0, 0, 0, 1};
    private static final int[] NAME_OF_NO_LENGTH = {4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 1};

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 17, 10_000})
    void aDeviceAmongTheSectionsOfRamEndsWhereRamGoesOn(int piece) throws Exception {
        byte[] body = imitations(
                5,
                OTHER_SECTION,
                UNKNOWN_COMMAND,
                PING_OF_FIVE_BYTES,
                NAME_WITH_DEL,
                NAME_WITH_NEWLINE,
                NAME_OF_NO_LENGTH);
        DeviceState first = new DeviceState(DeviceSections.encode(List.of(device("first", body)), 5));
        DeviceState second = new DeviceState(DeviceSections.encode(List.of(TIMER), 6));
        Wire stream = Wire.afterStart()
                .message(first)
                .message(new StreamMessage.SectionPart(Wire.RAM_ID))
                .endOfSection()
                .message(second)
                .message(new StreamMessage.SectionEnd(Wire.RAM_ID))
                .endOfSection();

        assertThat(devices(stream, piece)).containsExactly(first, second);
    }

    private static List<StreamMessage> devices(Wire stream, int piece) throws Exception {
        StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN);
        List<StreamMessage> devices = new java.util.ArrayList<>();
        new Feed(stream.toBytes(), StreamDecoder.MIN_BUFFER)
                .<StreamMessage>all(Feed.Pieces.of(piece), decoder::next, message -> {
                    if (message instanceof DeviceState) {
                        devices.add(message);
                    }
                });
        return devices;
    }
}
