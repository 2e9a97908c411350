// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Damages in the order in which they were found; all are counted and the first of them kept. Thread-safe. */
final class DamageLog {
    /** How many are kept: enough to see a pattern. */
    static final int KEPT = 64;

    private final List<Damage> kept = new ArrayList<>();
    private long count;

    synchronized void add(Damage damage) {
        count++;
        if (kept.size() < KEPT) {
            kept.add(damage);
        }
    }

    synchronized long count() {
        return count;
    }

    synchronized @Nullable Damage first() {
        return kept.isEmpty() ? null : kept.getFirst();
    }

    synchronized List<Damage> kept() {
        return List.copyOf(kept);
    }
}
