// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static io.godwit.wire.Wire.afterEnd;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.wire.StreamMessage.DeviceState;
import io.godwit.wire.StreamMessage.EndOfStream;
import io.godwit.wire.StreamMessage.VmDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The end of a precopy that nothing in the stream tells from what a guest may have written: of a QEMU with suppress-vmdesc=on, and with a description of nothing. */
class UndescribedDevicesTest {
    private static final VmDescription OF_NOTHING = new VmDescription("{}".getBytes(UTF_8));
    private static final VmDescription WITHOUT_DEVICES = new VmDescription("{\"page_size\": 4096}".getBytes(UTF_8));

    /** A device that holds both such ends and, behind them, what may stand behind a section elsewhere. */
    private static final DeviceSectionBytes LIAR = new DeviceSectionBytes(
            "liar",
            0,
            1,
            new Wire()
                    .u8(0x7e)
                    .u32(4)
                    .u8(0)
                    .u8(0x7e)
                    .u32(4)
                    .message(new EndOfStream())
                    .message(OF_NOTHING)
                    .u8(0x7e)
                    .u32(4)
                    .message(new StreamMessage.Ping(1))
                    .u8(0x7e)
                    .u32(4)
                    .message(new StreamMessage.SectionEnd(Wire.RAM_ID))
                    .u8(9)
                    .toBytes());

    private static final DeviceState DEVICES = new DeviceState(DeviceSections.encode(
            List.of(LIAR, new DeviceSectionBytes("timer", 0, 2, new byte[] {1, 2, 3})), 4));

    private final StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN);
    private final List<StreamMessage> messages = new ArrayList<>();

    private void feed(byte[] bytes, int piece) throws WireException {
        new Feed(bytes, StreamDecoder.MIN_BUFFER)
                .<StreamMessage>all(Feed.Pieces.of(piece), decoder::next, messages::add);
    }

    static Stream<Arguments> ends() {
        List<List<StreamMessage>> ends = List.of(
                List.of(new EndOfStream()),
                List.of(new EndOfStream(), OF_NOTHING),
                List.of(new EndOfStream(), WITHOUT_DEVICES));
        return IntStream.of(1, 3, 17, 10_000)
                .boxed()
                .flatMap(piece -> ends.stream().map(end -> Arguments.of(piece, end)));
    }

    @ParameterizedTest
    @MethodSource("ends")
    void endsWhereNothingFollowsAndNotBefore(int piece, List<StreamMessage> end) throws Exception {
        Wire stream = afterEnd().message(DEVICES);
        end.forEach(stream::message);

        feed(stream.toBytes(), piece);

        assertThat(messages).noneMatch(DeviceState.class::isInstance);
        assertThat(decoder.ended()).isFalse();
        assertThat(decoder.mayEnd(true)).isTrue();
        decoder.nothingFollows();
        feed(new byte[0], 1);
        assertThat(messages.subList(messages.indexOf(DEVICES), messages.size()))
                .containsExactlyElementsOf(
                        Stream.concat(Stream.of(DEVICES), end.stream()).toList());
        assertThat(decoder.ended()).isTrue();
        assertThat(decoder.mayEnd(true)).isFalse();
        assertThat(decoder.offset()).isEqualTo(stream.size());
    }

    /** A pause at a place that looks like the end, at which the caller does not take it for the end, changes nothing. */
    @Test
    void whatFollowsAPlaceThatMayBeTheEndIsTakenAsBefore() throws Exception {
        feed(afterEnd().toBytes(), 10_000);
        int places = 0;
        for (byte b : new Wire().message(DEVICES).message(new EndOfStream()).toBytes()) {
            feed(new byte[] {b}, 1);
            places += decoder.mayEnd(true) ? 1 : 0;
        }

        assertThat(places).as("the liar's three, and the end").isEqualTo(4);
        decoder.nothingFollows();
        feed(new byte[0], 1);
        assertThat(messages).endsWith(DEVICES, new EndOfStream());
    }

    @Test
    void aLargeRunEndsLikeASmallOne() throws Exception {
        byte[] large = new byte[9 << 20];
        new Random(4711).nextBytes(large);
        DeviceState devices =
                new DeviceState(DeviceSections.encode(List.of(new DeviceSectionBytes("gpu", 0, 1, large)), 4));
        feed(afterEnd().message(devices).message(new EndOfStream()).toBytes(), 64 << 10);

        assertThat(decoder.mayEnd(true)).isTrue();
        decoder.nothingFollows();
        feed(new byte[0], 1);
        assertThat(messages).endsWith(devices, new EndOfStream());
    }

    /** The channel ends inside the first section, at the footer of another. */
    @Test
    void aPlaceToWhichNoSectionsReachIsNoEnd() throws Exception {
        Wire stream = afterEnd()
                .u8(4)
                .u32(4)
                .str8("timer")
                .u32(0)
                .u32(1)
                .u8(0x7e)
                .u32(5)
                .u8(0);
        feed(stream.toBytes(), 10_000);

        assertThat(decoder.mayEnd(true)).isTrue();
        decoder.nothingFollows();
        assertThat(decoder.mayEnd(true)).as("it was looked at once").isFalse();
        feed(new byte[0], 1);
        assertThat(decoder.ended()).isFalse();

        feed(new Wire().u8(0x7e).u32(4).u8(0).toBytes(), 1);
        assertThat(decoder.mayEnd(true)).isTrue();
        decoder.nothingFollows();
        feed(new byte[0], 1);
        assertThat(decoder.ended()).isTrue();
    }

    @Test
    void elsewhereNothingMayEnd() throws Exception {
        feed(afterEnd().toBytes(), 10_000);
        assertThat(decoder.mayEnd(true)).isFalse();
        decoder.nothingFollows();
        feed(new Wire().message(DEVICES).toBytes(), 10_000);
        assertThat(decoder.mayEnd(true)).as("no EOF byte yet").isFalse();
        decoder.nothingFollows();
        feed(new Wire().message(new EndOfStream()).message(OF_NOTHING).u8(0).toBytes(), 10_000);
        assertThat(decoder.mayEnd(true)).as("one byte behind the description").isFalse();
        decoder.nothingFollows();
        feed(new byte[0], 1);
        assertThat(decoder.ended()).isFalse();
    }
}
