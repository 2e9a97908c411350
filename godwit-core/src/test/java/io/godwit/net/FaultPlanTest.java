// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.net.Fault.Direction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FaultPlanTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "none | none",
                "'' | none",
                "refuse | refuse",
                "half-open | back:swallow",
                "stall | forward:stall,back:stall",
                "both:delay=20 | forward:delay=20,back:delay=20",
                "back:cut-after=64K | back:cut-after=65536",
                "forward:rate=1m | forward:rate=1048576",
                "forward:cut-after=0, back:rate=2G | forward:cut-after=0,back:rate=2147483648"
            })
    void wordsBecomeAPlan(String words, String plan) {
        assertThat(FaultPlan.parse(words)).hasToString(plan);
    }

    @RepeatedTest(200)
    void whatIsPrintedParsesBackToTheSame() {
        long seed = Long.getLong("godwit.seed", System.nanoTime());
        FaultPlan plan = random(new Random(seed));
        assertThat(FaultPlan.parse(plan.toString()))
                .as("-Dgodwit.seed=%d", seed)
                .isEqualTo(plan);
    }

    private static FaultPlan random(Random random) {
        List<Fault> all = new ArrayList<>(List.of(new Fault.Refuse(), new Fault.Reset(), new Fault.Blackhole()));
        for (Direction direction : Direction.values()) {
            all.add(new Fault.CutAfter(direction, random.nextLong(Long.MAX_VALUE >> random.nextInt(62))));
            all.add(new Fault.Swallow(direction));
            all.add(new Fault.Stall(direction));
            all.add(new Fault.Delay(direction, 1 + random.nextInt(1000)));
            all.add(new Fault.Rate(direction, 1 + random.nextLong(Long.MAX_VALUE >> random.nextInt(62))));
        }
        Collections.shuffle(all, random);
        return new FaultPlan(all.subList(0, random.nextInt(all.size())));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "frob | 'frob' is no fault",
                "sideways:stall | 'sideways' is no direction",
                "cut-after | cut-after needs a value",
                "cut-after= | is no number",
                "cut-after=K | is no number",
                "cut-after=-5 | is no number",
                "cut-after=1T | is no number",
                "cut-after=9999999999999999999 | is no number",
                "cut-after=9999999999G | is no number",
                "stall=5 | stall takes no value",
                "back:refuse | refuse takes neither a direction nor a value",
                "refuse=1 | refuse takes neither",
                "delay=0 | delay=0: use 1 to 3600000 milliseconds",
                "rate=0 | rate=0: use at least 1",
                "stall,back:stall | the fault back:stall is given twice",
                "back:delay=1,back:delay=2 | the fault back:delay is given twice",
                "stall,,reset | '' is no fault",
                "none,stall | 'none' is no fault"
            })
    void whatIsWrongIsNamed(String words, String why) {
        assertThatThrownBy(() -> FaultPlan.parse(words))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(why);
    }

    @Test
    void theHelpNamesEveryFaultAndFitsATerminal() {
        assertThat(FaultPlan.HELP)
                .contains(
                        "refuse", "reset", "blackhole", "half-open", "cut-after", "swallow", "stall", "delay", "rate");
        assertThat(FaultPlan.HELP.lines()).allSatisfy(line -> assertThat(line).hasSizeLessThan(80));
    }
}
