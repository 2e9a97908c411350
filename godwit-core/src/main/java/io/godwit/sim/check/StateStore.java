// SPDX-License-Identifier: Apache-2.0

package io.godwit.sim.check;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** States as bytes, each kept once and whole (no hash stands for a state), numbered in the order in which they came. */
final class StateStore {
    private static final int CHUNK = 1 << 24;

    private final List<byte[]> chunks = new ArrayList<>();
    private long[] places = new long[1024];
    private int[] table = new int[4096];
    private int size;
    private int used = CHUNK;

    StateStore() {
        Arrays.fill(table, -1);
    }

    int size() {
        return size;
    }

    /** The state's number, negative and minus one if it is new. */
    int add(byte[] state) {
        int slot = slot(state);
        if (table[slot] >= 0) {
            return table[slot];
        }
        int number = size++;
        if (used + state.length + 2 > CHUNK) {
            chunks.add(new byte[CHUNK]);
            used = 0;
        }
        if (number == places.length) {
            places = Arrays.copyOf(places, 2 * number);
        }
        byte[] chunk = chunks.getLast();
        places[number] = (long) (chunks.size() - 1) * CHUNK + used;
        chunk[used] = (byte) (state.length >> 8);
        chunk[used + 1] = (byte) state.length;
        System.arraycopy(state, 0, chunk, used + 2, state.length);
        used += state.length + 2;
        table[slot] = number;
        if (2 * size > table.length) {
            grow();
        }
        return -number - 1;
    }

    byte[] get(int number) {
        byte[] chunk = chunks.get((int) (places[number] / CHUNK));
        int at = (int) (places[number] % CHUNK);
        int length = (chunk[at] & 0xff) << 8 | (chunk[at + 1] & 0xff);
        return Arrays.copyOfRange(chunk, at + 2, at + 2 + length);
    }

    private boolean same(int number, byte[] state) {
        byte[] chunk = chunks.get((int) (places[number] / CHUNK));
        int at = (int) (places[number] % CHUNK);
        int length = (chunk[at] & 0xff) << 8 | (chunk[at + 1] & 0xff);
        return length == state.length && Arrays.equals(chunk, at + 2, at + 2 + length, state, 0, state.length);
    }

    private int slot(byte[] state) {
        int mask = table.length - 1;
        int slot = hash(state) & mask;
        while (table[slot] >= 0 && !same(table[slot], state)) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void grow() {
        table = new int[2 * table.length];
        Arrays.fill(table, -1);
        int mask = table.length - 1;
        for (int number = 0; number < size; number++) {
            int slot = hash(get(number)) & mask;
            while (table[slot] >= 0) {
                slot = (slot + 1) & mask;
            }
            table[slot] = number;
        }
    }

    private static int hash(byte[] state) {
        long hash = 0x9e3779b97f4a7c15L;
        for (byte b : state) {
            hash = (hash ^ b) * 0x100000001b3L;
            hash ^= hash >>> 29;
        }
        return (int) (hash ^ hash >>> 32);
    }
}
