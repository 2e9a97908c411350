// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * A guest in one sector, for a virtual machine of QEMU's: it goes to flat 32-bit mode and adds one to the first byte of each page between two addresses, over and over, for ever. So at any moment
 * all first bytes are n or n+1, those that are n+1 come first, and a page that is out of date shows.
 *
 * @param first physical address of the first page, in bytes; 1 MiB or more
 * @param end behind the last page, in bytes; a few MiB below the end of memory, where the firmware has its own
 * @param noise pages are filled once with numbers that no compression helps with, and no page is like another
 * @param delay rounds of an empty loop after each time through all pages; 0 for none
 */
public record BootSector(int first, int end, boolean noise, int delay) {
    public static final int PAGE = 4096;

    /** Where the firmware puts a boot sector, and starts it. */
    private static final int ORIGIN = 0x7c00;

    private static final int SECTOR = 512;
    private static final int IMAGE = 32768;
    /** Differs from every page's address, so the generator never starts at 0. */
    private static final int SEED = 0x9e3779b9;

    public BootSector {
        if (first < 1 << 20 || first % PAGE != 0 || end % PAGE != 0 || end <= first || delay < 0) {
            throw new IllegalArgumentException("pages from 0x%x to 0x%x, delay %d".formatted(first, end, delay));
        }
    }

    /** Pages of zeroes but for the first byte. Only where the firmware leaves nothing behind: of 64 MiB it uses some between 47 and 48, so the check would find its traces. */
    public static BootSector counting(int first, int end) {
        return new BootSector(first, end, false, 0);
    }

    /** Pages of noise. */
    public static BootSector noise(int first, int end) {
        return new BootSector(first, end, true, 0);
    }

    public BootSector slow(int rounds) {
        return new BootSector(first, end, noise, rounds);
    }

    public int pages() {
        return (end - first) / PAGE;
    }

    /** A raw disk image to boot from. */
    public Path write(Path file) throws IOException {
        byte[] image = new byte[IMAGE];
        System.arraycopy(sector(), 0, image, 0, SECTOR);
        return Files.write(file, image);
    }

    /** What a page holds before its first byte was ever added to: what the guest computes, computed once more. */
    public void fill(int page, byte[] into) {
        ByteBuffer words = ByteBuffer.wrap(into, 0, PAGE).order(ByteOrder.LITTLE_ENDIAN);
        int x = (first + page * PAGE) ^ SEED;
        while (words.hasRemaining()) {
            x ^= x << 13;
            x ^= x >>> 17;
            x ^= x << 5;
            words.putInt(noise ? x : 0);
        }
    }

    byte[] sector() {
        ByteBuffer code = ByteBuffer.allocate(SECTOR).order(ByteOrder.LITTLE_ENDIAN);
        put(code, "fa"); // cli
        put(code, "e4 92 0c 02 e6 92"); // in al,92h; or al,2; out 92h,al: the address line 20
        put(code, "31 c0 8e d8"); // xor ax,ax; mov ds,ax
        int descriptor = code.position() + 3;
        put(code, "0f 01 16 00 00"); // lgdt [descriptor]
        put(code, "0f 20 c0 66 83 c8 01 0f 22 c0"); // mov eax,cr0; or eax,1; mov cr0,eax
        put(code, "ea");
        code.putShort((short) (ORIGIN + code.position() + 4)).putShort((short) 8); // jmp 8:next
        put(code, "66 b8 10 00 8e d8 8e c0 8e d0"); // mov ax,10h; mov ds,ax; mov es,ax; mov ss,ax
        if (noise) {
            putNoise(code);
        }
        putCounting(code);

        int table = code.position();
        code.putLong(0).putLong(0x00cf9a000000ffffL).putLong(0x00cf92000000ffffL); // null, flat code, flat data
        code.putShort(descriptor, (short) (ORIGIN + code.position()));
        code.putShort((short) (code.position() - table - 1)).putInt(ORIGIN + table);
        return code.putShort(SECTOR - 2, (short) 0xaa55).array();
    }

    private void putCounting(ByteBuffer code) {
        int again = code.position();
        put(code, "b8").putInt(first); // mov eax,first
        put(code, "fe 00 05 00 10 00 00"); // page: inc byte [eax]; add eax,1000h
        put(code, "3d").putInt(end); // cmp eax,end
        put(code, "72 f2"); // jb page
        if (delay > 0) {
            put(code, "b9").putInt(delay); // mov ecx,delay
            put(code, "e2 fe"); // here: loop here
        }
        jump(code, "eb", again); // jmp again
    }

    private void putNoise(ByteBuffer code) {
        put(code, "fc bf").putInt(first); // cld; mov edi,first
        int page = code.position();
        put(code, "89 f8 35").putInt(SEED); // mov eax,edi; xor eax,SEED
        put(code, "b9").putInt(PAGE / Integer.BYTES); // mov ecx,1024
        int word = code.position();
        put(code, "89 c2 c1 e2 0d 31 d0"); // mov edx,eax; shl edx,13; xor eax,edx
        put(code, "89 c2 c1 ea 11 31 d0"); // mov edx,eax; shr edx,17; xor eax,edx
        put(code, "89 c2 c1 e2 05 31 d0"); // mov edx,eax; shl edx,5; xor eax,edx
        put(code, "ab"); // stosd
        jump(code, "e2", word); // loop word
        put(code, "81 ff").putInt(end); // cmp edi,end
        jump(code, "72", page); // jb page
    }

    private static ByteBuffer put(ByteBuffer code, String hex) {
        return code.put(HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    /** A jump with a distance of one byte, which counts from behind it. */
    private static void jump(ByteBuffer code, String operation, int to) {
        put(code, operation);
        code.put((byte) (to - code.position() - 1));
    }

    /**
     * Looks at a stopped guest's pages.
     *
     * @param memory from {@link #first} to {@link #end}
     * @return what is wrong, or null: all pages are there, at one moment of the guest's life
     */
    public @Nullable String damage(byte[] memory) {
        return memory.length == end - first
                ? inspect().look(memory)
                : "%d bytes of memory, expected %d".formatted(memory.length, end - first);
    }

    /** As {@link #damage}, a piece at a time. */
    public Inspection inspect() {
        return new Inspection();
    }

    /** Looks at a stopped guest's pages in order, from the first on. For one thread. */
    public final class Inspection {
        private final byte[] expected = new byte[PAGE];
        private int page;
        private int lead;
        private int boundary = -1;

        private Inspection() {}

        /** How many pages were looked at and found right. */
        public int pages() {
            return page;
        }

        /**
         * Looks at the next pages.
         *
         * @param memory whole pages
         * @return what is wrong with the first that is, or null: all is well so far
         */
        public @Nullable String look(byte[] memory) {
            for (int at = 0; at < memory.length; at += PAGE) {
                String damage = look(memory, at);
                if (damage != null) {
                    return damage;
                }
                page++;
            }
            return null;
        }

        private @Nullable String look(byte[] memory, int at) {
            fill(page, expected);
            int mismatch = Arrays.mismatch(memory, at + 1, at + PAGE, expected, 1, PAGE);
            if (mismatch >= 0) {
                int i = mismatch + 1;
                return "page %d at 0x%x: byte %d is 0x%02x, expected 0x%02x"
                        .formatted(page, address(), i, memory[at + i], expected[i]);
            }
            int count = (memory[at] - expected[0]) & 0xff;
            if (page == 0) {
                lead = count;
            } else if (boundary < 0 && count == ((lead - 1) & 0xff)) {
                boundary = page;
            } else if (count != (boundary < 0 ? lead : (lead - 1) & 0xff)) {
                return "page %d at 0x%x was counted %d times (mod 256), page 0 %d times%s"
                        .formatted(
                                page,
                                address(),
                                count,
                                lead,
                                boundary < 0 ? "" : ", pages from " + boundary + " on once less");
            }
            return null;
        }

        private long address() {
            return first + (long) page * PAGE;
        }
    }
}
