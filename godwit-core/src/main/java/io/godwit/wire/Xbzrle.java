// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.page.Pages;
import io.godwit.wire.EncodedPage.Encoding;
import java.nio.ByteBuffer;

/**
 * The difference between two contents of a page, {@code spec/stream.md §7.3}:
 *
 * <pre>
 *   repeated:  uleb128 zrun     bytes that stay as they are; 0 only at the beginning
 *              uleb128 nzrun    more than 0
 *              nzrun bytes      that take the place of those that stood there
 * </pre>
 *
 * A uleb128 has at most 2 bytes here, low 7 bits first, 0x80 for "one more". What follows the last nzrun stays as it is. Allocates nothing.
 */
public final class Xbzrle {
    /** {@link #encode} found no difference. */
    public static final int SAME = 0;
    /** The difference takes more room than {@link #encode} was given: the page itself is to be sent. */
    public static final int DOES_NOT_FIT = -1;

    private static final int MORE = 0x80;

    private Xbzrle() {}

    /**
     * Changes the page into what the source has of it now.
     *
     * @param delta a record that was just decoded
     * @param page {@link Pages#SIZE} bytes at the absolute position {@code at}: the content before. After an error it is neither that nor the new one.
     * @throws WireException if the difference is none of a page
     */
    public static void apply(EncodedPage delta, ByteBuffer page, int at) throws WireException {
        if (delta.encoding() != Encoding.XBZRLE) {
            throw new IllegalArgumentException(delta + " is no difference");
        }
        ByteBuffer in = delta.input();
        int start = delta.dataPosition();
        int length = delta.dataLength();
        int done = 0;
        for (int i = 0; i < length; ) {
            int zrun = uleb128(delta, i, "zrun");
            if (zrun == 0 && i > 0) {
                throw delta.error(i, "xbzrle: a zrun of 0 bytes between two nzruns");
            }
            i += width(in, start + i);
            if (i == length) {
                throw delta.error(i, "xbzrle: the difference ends with a zrun");
            }
            int nzrun = uleb128(delta, i, "nzrun");
            if (nzrun == 0) {
                throw delta.error(i, "xbzrle: an nzrun of 0 bytes");
            }
            int next = i + width(in, start + i);
            if (done + zrun + nzrun > Pages.SIZE) {
                throw delta.error(i, "xbzrle: the difference runs past the end of its page");
            }
            if (next + nzrun > length) {
                throw delta.error(
                        i, "xbzrle: an nzrun of " + nzrun + " bytes, of which " + (length - next) + " are there");
            }
            page.put(at + done + zrun, in, start + next, nzrun);
            done += zrun + nzrun;
            i = next + nzrun;
        }
    }

    private static int width(ByteBuffer in, int position) {
        return (in.get(position) & MORE) == 0 ? 1 : 2;
    }

    private static int uleb128(EncodedPage delta, int i, String what) throws WireException {
        ByteBuffer in = delta.input();
        int low = in.get(delta.dataPosition() + i) & 0xff;
        if ((low & MORE) == 0) {
            return low;
        }
        if (i + 1 == delta.dataLength()) {
            throw delta.error(i, "xbzrle: the difference ends within the length of a " + what);
        }
        int high = in.get(delta.dataPosition() + i + 1) & 0xff;
        if ((high & MORE) != 0) {
            throw delta.error(i, "xbzrle: the length of a " + what + " has more than 2 bytes");
        }
        return (low & ~MORE) | high << 7;
    }

    /**
     * Appends the difference to {@code out}: runs as long as they can be, the encoding that QEMU makes.
     *
     * @param before {@link Pages#SIZE} bytes at the absolute position {@code beforeAt}: what the receiver has
     * @param after as many at {@code afterAt}: what it is to have
     * @param most bytes that the difference may take, at most the room in {@code out}
     * @return bytes appended; {@link #SAME}; or {@link #DOES_NOT_FIT}, then {@code out} is where it was
     */
    public static int encode(ByteBuffer before, int beforeAt, ByteBuffer after, int afterAt, ByteBuffer out, int most) {
        int start = out.position();
        int room = Math.min(most, out.remaining());
        int done = 0;
        while (true) {
            int from = run(before, beforeAt, after, afterAt, done, true);
            if (from == Pages.SIZE) {
                return out.position() - start;
            }
            int to = run(before, beforeAt, after, afterAt, from, false);
            int zrun = from - done;
            int nzrun = to - from;
            if (out.position() - start + size(zrun) + size(nzrun) + nzrun > room) {
                out.position(start);
                return DOES_NOT_FIT;
            }
            put(out, zrun);
            put(out, nzrun);
            out.put(out.position(), after, afterAt + from, nzrun).position(out.position() + nzrun);
            done = to;
        }
    }

    /** Where the run of equal or of different bytes that begins at {@code i} ends. */
    private static int run(ByteBuffer before, int beforeAt, ByteBuffer after, int afterAt, int i, boolean equal) {
        int end = i;
        while (equal
                && end + Long.BYTES <= Pages.SIZE
                && before.getLong(beforeAt + end) == after.getLong(afterAt + end)) {
            end += Long.BYTES;
        }
        while (end < Pages.SIZE && (before.get(beforeAt + end) == after.get(afterAt + end)) == equal) {
            end++;
        }
        return end;
    }

    private static int size(int run) {
        return run < MORE ? 1 : 2;
    }

    private static void put(ByteBuffer out, int run) {
        if (run < MORE) {
            out.put((byte) run);
        } else {
            out.put((byte) (run | MORE)).put((byte) (run >>> 7));
        }
    }
}
