// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import java.util.Arrays;
import java.util.BitSet;

/** Which state leads to which without a failure, kept to be walked backwards. */
final class Paths {
    private int[] to = new int[4096];
    private int count;
    private int[] ends = new int[1024];
    private int froms;

    /** The next state's successors are over. */
    void next() {
        if (froms == ends.length) {
            ends = Arrays.copyOf(ends, 2 * froms);
        }
        ends[froms++] = count;
    }

    void add(int successor) {
        if (count == to.length) {
            to = Arrays.copyOf(to, Math.addExact(count, count / 2));
        }
        to[count++] = successor;
    }

    /** All states from which one of the given ones can be reached. */
    BitSet leadingTo(BitSet goals, int states) {
        int[] starts = new int[states + 1];
        for (int edge = 0; edge < count; edge++) {
            starts[to[edge] + 1]++;
        }
        for (int state = 0; state < states; state++) {
            starts[state + 1] += starts[state];
        }
        int[] sources = new int[count];
        int[] filled = Arrays.copyOf(starts, states);
        int edge = 0;
        for (int from = 0; from < froms; from++) {
            for (; edge < ends[from]; edge++) {
                sources[filled[to[edge]]++] = from;
            }
        }
        BitSet reached = (BitSet) goals.clone();
        int[] queue = new int[states];
        int last = 0;
        for (int goal = goals.nextSetBit(0); goal >= 0; goal = goals.nextSetBit(goal + 1)) {
            queue[last++] = goal;
        }
        for (int first = 0; first < last; first++) {
            for (int i = starts[queue[first]]; i < starts[queue[first] + 1]; i++) {
                if (!reached.get(sources[i])) {
                    reached.set(sources[i]);
                    queue[last++] = sources[i];
                }
            }
        }
        return reached;
    }
}
