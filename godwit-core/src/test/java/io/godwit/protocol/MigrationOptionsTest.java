// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What two ends can agree on, and the words they have for it. */
class MigrationOptionsTest {
    private static MigrationOptions of(Set<Capability> capabilities) {
        return MigrationOptions.of(capabilities, MultifdParameters.DEFAULT, 2, 7);
    }

    @ParameterizedTest
    @EnumSource(Capability.class)
    void aCapabilityIsFoundByItsWord(Capability capability) {
        assertThat(Capability.of(capability.word())).isEqualTo(capability);
    }

    @Test
    void anUnknownWordIsNoCapability() {
        assertThat(Capability.of("postcopy-Ram")).isNull();
        assertThat(Capability.of("")).isNull();
    }

    @Test
    void postcopyBringsTheReturnPath() {
        assertThat(of(EnumSet.noneOf(Capability.class)).returnPath()).isFalse();
        assertThat(of(EnumSet.of(Capability.POSTCOPY_RAM)).returnPath()).isTrue();
        assertThat(of(EnumSet.of(Capability.RETURN_PATH)).returnPath()).isTrue();
    }

    @Test
    void thePreemptChannelNeedsPostcopy() {
        assertThatThrownBy(() -> of(EnumSet.of(Capability.POSTCOPY_PREEMPT, Capability.RETURN_PATH)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("postcopy-preempt needs postcopy-ram");
        assertThat(of(EnumSet.of(Capability.POSTCOPY_PREEMPT, Capability.POSTCOPY_RAM))
                        .preempt())
                .isTrue();
    }

    @ParameterizedTest
    @EnumSource(names = {"XBZRLE", "COMPRESS"})
    void multifdGoesWithNoOtherEncodingAndTheSentenceNamesIt(Capability encoding) {
        assertThatThrownBy(() -> of(EnumSet.of(Capability.MULTIFD, encoding)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no " + encoding.word() + " with it");
        assertThat(of(EnumSet.of(encoding)).multifd()).isNull();
        assertThat(of(EnumSet.of(Capability.MULTIFD)).multifd()).isEqualTo(MultifdParameters.DEFAULT);
    }

    /** The nonce has 16 bits on the wire: a longer one would be another migration's. */
    @ParameterizedTest
    @CsvSource({"-1,0", "0,-1", "0,65536"})
    void numbersThatDontFitOnTheWireAreRefused(int blocks, int nonce) {
        assertThatThrownBy(() -> new MigrationOptions(true, false, false, false, false, blocks, nonce))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("blocks " + blocks + ", nonce " + nonce);
    }

    @Test
    void theSmallestAndTheLargestNonceFit() {
        MigrationOptions options = new MigrationOptions(true, false, false, false, false, 0, 0);
        assertThat(options.withNonce(0xffff).nonce()).isEqualTo(0xffff);
        assertThat(options.nonce()).isZero();
    }
}
