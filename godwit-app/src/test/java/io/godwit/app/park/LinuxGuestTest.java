// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.park;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is taken for the words of a guest that is well: the slow test is worth no more than that. */
class LinuxGuestTest {
    @Test
    void aGuestThatIsWell() {
        assertThat(LinuxGuest.wrong("filled\nbeat 1\nbeat 2\npass 1\nbeat 3\npass 2\nbea"))
                .isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "'beat 1\nbeat 3\n', 'beat 3, after 1'",
        "'beat 1\nbeat 2\nbeat 2\n', 'beat 2, after 2'",
        "'beat 1\nbeat 2\nfilled\n', filled",
        "'beat 1\npass 1\nbeat 1\n', 'beat 1, after all of 1'",
        "'beat 1\npass 2\n', 'pass 2, after 0'",
        "'beat 1\nCORRUPT 17\nbeat 2\n', CORRUPT 17",
        "'beat 1\nbebeat 2\n', bebeat 2",
        "'beat 1\n[   12.1] Kernel panic\n', [   12.1] Kernel panic"
    })
    void oneThatIsNot(String said, String why) {
        assertThat(LinuxGuest.wrong(said)).isEqualTo(why);
    }
}
