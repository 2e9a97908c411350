// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class AmountsTest {
    @ParameterizedTest
    @CsvSource({"4096, 4096", "256M, 268435456", "1g, 1073741824", "2GiB, 2147483648", "64k, 65536", "1T, 1099511627776"
    })
    void aSizeIsBytesOrHasAUnit(String text, long bytes) {
        assertThat(new Amounts.Bytes().convert(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @CsvSource({"20000, 20000", "80M, 20480", "0, 0", "1K, 1"})
    void aRateIsPagesOrHasAUnitOfBytes(String text, long pages) {
        assertThat(new Amounts.PagesPerSecond().convert(text)).isEqualTo(pages);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "-1", "1.5G", "10X", "99999999999999999999", "999999999999999T"})
    void whatIsNoneIsNamed(String text) {
        assertThatThrownBy(() -> new Amounts.Bytes().convert(text))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("'" + text + "' is no size");
        assertThatThrownBy(() -> new Amounts.PagesPerSecond().convert(text))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("'" + text + "' is no rate");
    }
}
