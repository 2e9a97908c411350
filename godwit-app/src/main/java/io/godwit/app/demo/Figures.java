// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.json.JsonObject;
import io.godwit.sys.ByteSizes;
import java.util.Locale;

/** What the two ends' answers say, read and put into words. */
final class Figures {
    private static final double NANOS_PER_MILLI = 1e6;

    private Figures() {}

    /** A member of {@code ram}, of {@code x-godwit-requests} and the like; 0 where it is not. */
    static long of(JsonObject answer, String part, String name) {
        return answer.has(part) ? answer.object(part).int64(name, 0) : 0;
    }

    /** Page requests and their latencies, or that there were none. */
    static String requests(JsonObject destination) {
        long count = of(destination, "x-godwit-requests", "count");
        if (count == 0) {
            return "none yet";
        }
        return String.format(
                Locale.ROOT,
                "%,d answered, p50 %s, p90 %s, p99 %s, max %s",
                count,
                millis(of(destination, "x-godwit-requests", "p50-ns")),
                millis(of(destination, "x-godwit-requests", "p90-ns")),
                millis(of(destination, "x-godwit-requests", "p99-ns")),
                millis(of(destination, "x-godwit-requests", "max-ns")));
    }

    static String millis(long nanos) {
        double millis = nanos / NANOS_PER_MILLI;
        return String.format(Locale.ROOT, millis < 10 ? "%.2f ms" : "%,.0f ms", millis);
    }

    static String millis(double millis) {
        return String.format(Locale.ROOT, millis < 100 ? "%.1f ms" : "%,.0f ms", millis);
    }

    static String size(long bytes) {
        return ByteSizes.show(bytes);
    }

    static String downtime(JsonObject source) {
        return source.has("downtime") ? source.int64("downtime") + " ms" : "not known yet";
    }

    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }
}
