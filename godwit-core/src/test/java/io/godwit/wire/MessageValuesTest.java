// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages that hold arrays are equal by content, and values that no wire could carry are refused where they are made. */
class MessageValuesTest {
    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    /** Twice the same, and then all that differ in one thing. */
    static Stream<Arguments> values() {
        return Stream.of(
                Arguments.of(
                        new StreamMessage.DeviceState(bytes(1, 2)),
                        new StreamMessage.DeviceState(bytes(1, 2)),
                        List.of(new StreamMessage.DeviceState(bytes(1, 3)), new StreamMessage.Packaged(bytes(1, 2)))),
                Arguments.of(
                        new StreamMessage.VmDescription(bytes('{', '}')),
                        new StreamMessage.VmDescription(bytes('{', '}')),
                        List.of(
                                new StreamMessage.VmDescription(bytes('{', ' ', '}')),
                                new StreamMessage.DeviceState(bytes('{', '}')))),
                Arguments.of(
                        new StreamMessage.Packaged(bytes(1, 2)),
                        new StreamMessage.Packaged(bytes(1, 2)),
                        List.of(new StreamMessage.Packaged(bytes(1)), new StreamMessage.DeviceState(bytes(1, 2)))),
                Arguments.of(
                        new PackagedBlob(bytes(4, 5), List.of(3)),
                        new PackagedBlob(bytes(4, 5), List.of(3)),
                        List.of(
                                new PackagedBlob(bytes(4, 6), List.of(3)),
                                new PackagedBlob(bytes(4, 5), List.of(3, 4)),
                                new StreamMessage.Packaged(bytes(4, 5)))),
                Arguments.of(
                        new DeviceSectionBytes("a", 1, 2, bytes(3)),
                        new DeviceSectionBytes("a", 1, 2, bytes(3)),
                        List.of(
                                new DeviceSectionBytes("b", 1, 2, bytes(3)),
                                new DeviceSectionBytes("a", 0, 2, bytes(3)),
                                new DeviceSectionBytes("a", 1, 0, bytes(3)),
                                new DeviceSectionBytes("a", 1, 2, bytes(4)),
                                "a")));
    }

    @ParameterizedTest
    @MethodSource("values")
    void areEqualByContent(Object one, Object same, List<Object> others) {
        assertThat(one).isEqualTo(same).hasSameHashCodeAs(same);
        for (Object other : others) {
            assertThat(one).isNotEqualTo(other);
        }
        assertThat(one).isNotEqualTo(null);
    }

    /** They bound what is kept for a stranger: none of them may be turned off by a sign. */
    @ParameterizedTest
    @CsvSource({
        "-1,0,0,1,1",
        "1073741825,0,0,1,1",
        "0,-1,0,1,1",
        "0,0,-1,1,1",
        "0,1073741824,1,1,1",
        "0,0,0,0,1",
        "0,0,0,1,0",
        "0,0,0,1,281474976710657"
    })
    void limitsThatBoundNothingAreRefused(int packaged, int devices, int description, int blocks, long ram) {
        assertThatThrownBy(() -> new StreamLimits(packaged, devices, description, blocks, ram))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("limits are positive");
    }

    @Test
    void theNarrowestAndTheWidestLimitsAreGood() {
        new StreamLimits(0, 0, 0, 1, 1);
        assertThat(new StreamLimits(1 << 30, 1 << 29, 1 << 29, Integer.MAX_VALUE, 1L << 48).maxRamBytes())
                .isEqualTo(1L << 48);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 256})
    void aNumberOfMultifdChannelsThatNoChannelCanSayIsRefused(int channels) {
        assertThatThrownBy(() -> new MultifdSetup(null, channels, MultifdCompression.NONE))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(new MultifdSetup(null, 255, MultifdCompression.NONE).channels())
                .isEqualTo(255);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 256})
    void aMultifdChannelsNumberHasOneByte(int id) {
        assertThatThrownBy(() -> new MultifdMessage.Init(MultifdMessage.Init.NO_UUID, id, 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(new MultifdMessage.Init(MultifdMessage.Init.NO_UUID, 255, 0).id())
                .isEqualTo(255);
    }
}
