// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.term;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChildCommandTest {
    @ParameterizedTest
    @CsvSource({
        "park --store web1, true",
        "unpark web1 --to tcp:host:4444, true",
        "store verify web1, true",
        "park --store web1 --tls-creds mine, false",
        "'unpark web1 --object tls-creds-x509,id=mine,dir=pki,endpoint=client', false",
        "run --size 64M, false",
        "sim --runs 10, false",
        "'', false"
    })
    void whatMovesAVmGoesWithoutTheOptimizingCompilerUnlessItEnciphers(String line, boolean quick) {
        assertThat(ChildCommand.goesQuick(List.of(line.split(" ")))).isEqualTo(quick);
    }

    @Test
    void nothingIsToBeSaidOfACommandWithoutAWord() {
        assertThat(ChildCommand.goesQuick(List.of())).isFalse();
    }

    @Test
    void itsOwnWordsComeLastAndTheJvmsFirst() throws Exception {
        assertThat(ChildCommand.of(List.of("park", "--store", "web1")))
                .endsWith("park", "--store", "web1")
                .element(1)
                .isEqualTo("-XX:TieredStopAtLevel=1");
    }
}
