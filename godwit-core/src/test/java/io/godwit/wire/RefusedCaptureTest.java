// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.godwit.wire.Captures.Connection;
import io.godwit.wire.UnsupportedOnWireException.Feature;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** All captures are decoded somewhere; what is off here is refused by name. */
class RefusedCaptureTest {
    @Test
    void everyCaptureIsCovered() {
        List<String> rest = new ArrayList<>(
                Captures.all().stream().map(Connection::toString).toList());
        Stream.of(
                        MainCaptureTest.covered(),
                        OtherCaptureTest.preempt(),
                        MultifdCaptureTest.channels(),
                        MappedRamCaptureTest.covered())
                .flatMap(List::stream)
                .forEach(c -> rest.remove(c.toString()));

        assertThat(rest).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "v100-mapped-ram-stopped, mapped, MAPPED_RAM",
        "v100-mapped-ram-multifd-stopped, mapped, MAPPED_RAM",
        "v111-mapped-ram-stopped, mapped, MAPPED_RAM",
        "v100-xbzrle, r0.c0, XBZRLE",
        "v72-compress-legacy, r0.c0, COMPRESS",
        "v100-multifd-none, r0.c0, MULTIFD",
        "v100-multifd-machine82, r0.c0, MULTIFD",
        "v111-multifd-postcopy, r0.c0, MULTIFD"
    })
    void isRefusedByName(String vector, String connection, Feature feature) {
        Connection c = new Connection(vector, connection);
        byte[] bytes = c.forward();
        StreamDecoder decoder = new StreamDecoder(
                StreamLimits.DEFAULT, DecoderOptions.PLAIN.withPostcopyRam(vector.contains("postcopy")));
        Echo echo = new Echo(bytes);

        UnsupportedOnWireException refusal = catchThrowableOfType(
                UnsupportedOnWireException.class,
                () -> new Feed(bytes, 1 << 16)
                        .<StreamMessage>all(Feed.Pieces.of(1 << 16), decoder::next, echo::expect));

        assertThat(refusal.feature()).isEqualTo(feature);
        assertThat(refusal).hasMessageContaining(feature.title()).hasMessageContaining("byte " + refusal.offset());
        assertThat(refusal.offset()).isBetween((long) echo.at(), (long) echo.at() + 300);
    }

    @Test
    void theMainChannelOfOldMultifdLooksLikeAnyOther() {
        // 7.2 has no word for its sync points, so a receiver without multifd sees a stream that lacks pages; the
        // channels beside it tell.
        List<Connection> channels = MultifdCaptureTest.channels();

        assertThat(channels).hasSizeGreaterThan(20);
        assertThat(channels)
                .allSatisfy(c -> assertThat(FirstBytes.classify(ByteBuffer.wrap(c.forward(), 0, 64), null))
                        .isEqualTo(FirstBytes.Kind.MULTIFD_MAGIC));
    }
}
