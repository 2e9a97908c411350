// SPDX-License-Identifier: Apache-2.0

package io.godwit.page;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The ordered, immutable list of a guest's RAM blocks. A block's index in it stands for the block everywhere inside Godwit. */
public final class BlockTable {
    private final List<BlockInfo> blocks;
    private final byte[][] names;
    private final long totalPages;

    public BlockTable(List<BlockInfo> blocks) {
        this.blocks = List.copyOf(blocks);
        this.names = new byte[blocks.size()][];
        long pages = 0;
        for (int i = 0; i < names.length; i++) {
            names[i] = blocks.get(i).name().getBytes(StandardCharsets.UTF_8);
            pages += blocks.get(i).pages();
            for (int j = 0; j < i; j++) {
                if (blocks.get(j).name().equals(blocks.get(i).name())) {
                    throw new IllegalArgumentException(
                            "two RAM blocks are named '" + blocks.get(i).name() + "'");
                }
            }
        }
        this.totalPages = pages;
    }

    public int size() {
        return blocks.size();
    }

    public BlockInfo get(int index) {
        return blocks.get(index);
    }

    public List<BlockInfo> list() {
        return blocks;
    }

    public long totalPages() {
        return totalPages;
    }

    /** Index of the block, or -1. */
    public int indexOf(String name) {
        for (int i = 0; i < names.length; i++) {
            if (blocks.get(i).name().equals(name)) {
                return i;
            }
        }
        return -1;
    }

    /** Index of the block whose name stands in {@code buffer} at the absolute {@code position}, or -1. Allocates nothing. */
    public int indexOf(ByteBuffer buffer, int position, int length) {
        for (int i = 0; i < names.length; i++) {
            if (matches(names[i], buffer, position, length)) {
                return i;
            }
        }
        return -1;
    }

    /** The name's bytes as on the wire; not to be changed. */
    public byte[] nameBytes(int index) {
        return names[index];
    }

    private static boolean matches(byte[] name, ByteBuffer buffer, int position, int length) {
        if (name.length != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (buffer.get(position + i) != name[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BlockTable table && table.blocks.equals(blocks);
    }

    @Override
    public int hashCode() {
        return blocks.hashCode();
    }

    @Override
    public String toString() {
        return blocks.toString();
    }
}
