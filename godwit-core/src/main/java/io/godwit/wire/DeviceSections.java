// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonFormat;
import io.godwit.json.JsonObject;
import io.godwit.page.Pages;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;

/**
 * A run of FULL sections as bytes, and its borders again ({@code spec/stream.md §4, §4.2}):
 *
 * <pre>
 *   04  u32 section id  str8 idstr  u32 instance  u32 version   body   7e  u32 section id
 * </pre>
 */
public final class DeviceSections {
    /** Most sections that {@link #scan} takes. */
    public static final int MAX_SECTIONS = 4096;

    private DeviceSections() {}

    /** The sections one after the other, with the ids {@code firstSectionId}, {@code firstSectionId + 1} and so on. */
    public static byte[] encode(List<DeviceSectionBytes> sections, int firstSectionId) {
        int size = 0;
        for (DeviceSectionBytes section : sections) {
            size = Math.addExact(size, 1 + 4 + WireFormat.str8Size(section.idstr()) + 8 + section.body().length + 5);
        }
        ByteBuffer out = ByteBuffer.allocate(size);
        int id = firstSectionId;
        for (DeviceSectionBytes section : sections) {
            out.put((byte) WireFormat.FULL).putInt(id);
            StreamEncoder.str8(section.idstr(), out);
            out.putInt(section.instanceId()).putInt(section.versionId()).put(section.body());
            out.put((byte) WireFormat.FOOTER).putInt(id);
            id++;
        }
        return out.array();
    }

    /** The vmdesc of these sections ({@code spec/stream.md §8}): each body as one field of its size, as QEMU describes devices of an old style. {@link #cut} takes their run apart by it. */
    public static byte[] describe(List<DeviceSectionBytes> sections) {
        List<Json> devices = new ArrayList<>();
        for (DeviceSectionBytes section : sections) {
            long size = section.body().length;
            JsonObject field = JsonObject.builder()
                    .put("name", "data")
                    .put("size", size)
                    .put("type", "buffer")
                    .build();
            devices.add(JsonObject.builder()
                    .put("name", section.idstr())
                    .put("instance_id", Integer.toUnsignedLong(section.instanceId()))
                    .put("size", size)
                    .put("fields", new JsonArray(List.of(field)))
                    .build());
        }
        return JsonObject.builder()
                .put("page_size", Pages.SIZE)
                .put("devices", new JsonArray(devices))
                .build()
                .toText(JsonFormat.QEMU)
                .getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Finds the sections by their footers: a border is a footer of the section's id followed by another section or the end. Where that is
     * ambiguous the first chain of borders that reaches exactly the end is taken; a body that imitates a border can mislead this, so it is for
     * showing and for bodies of one's own making.
     *
     * @throws WireException if no chain of sections covers the bytes
     */
    public static List<DeviceSectionBytes> scan(byte[] verbatim) throws WireException {
        return new Scan(verbatim).run();
    }

    /**
     * Cuts the run by the vmdesc's devices ({@code spec/stream.md §8}), the first way of §4.2, and checks each header and footer.
     *
     * @param devices those of this run: without the ones that were saved early
     * @throws WireException if they are not the run's devices; its offset counts from the run's first byte
     */
    public static List<DeviceSectionBytes> cut(byte[] verbatim, List<DescribedDevice> devices) throws WireException {
        ByteBuffer in = ByteBuffer.wrap(verbatim);
        List<DeviceSectionBytes> sections = new ArrayList<>();
        int at = 0;
        for (DescribedDevice device : devices) {
            int body = bodyAt(in, at);
            long end = body + device.bodyBytes();
            if (body < 0 || end + WireFormat.FOOTER_SIZE > verbatim.length || !footerAt(in, at, (int) end)) {
                throw new WireException(
                        WireException.MAIN,
                        at,
                        "no device section that ends as described for '" + device.idstr() + "'");
            }
            DeviceSectionBytes section = section(in, at, body, (int) end);
            if (!section.idstr().equals(device.idstr()) || section.instanceId() != (int) device.instanceId()) {
                throw new WireException(
                        WireException.MAIN,
                        at,
                        "section '" + section.idstr() + "' instance " + section.instanceId() + " where '"
                                + device.idstr() + "' instance " + device.instanceId() + " is described");
            }
            sections.add(section);
            at = (int) end + WireFormat.FOOTER_SIZE;
        }
        if (at != verbatim.length) {
            throw new WireException(
                    WireException.MAIN, at, (verbatim.length - at) + " bytes of devices that are not described");
        }
        return Collections.unmodifiableList(sections);
    }

    /** Where the body of the section at {@code at} begins, or -1 if none begins there. */
    private static int bodyAt(ByteBuffer in, int at) {
        if (at >= in.limit()
                || in.get(at) != WireFormat.FULL
                || SectionBorder.longHeader(in, at, in.limit()) != SectionBorder.Verdict.YES) {
            return -1;
        }
        return at + 6 + (in.get(at + 5) & 0xff) + 8;
    }

    private static boolean footerAt(ByteBuffer in, int section, int at) {
        return in.get(at) == WireFormat.FOOTER && in.getInt(at + 1) == in.getInt(section + 1);
    }

    private static DeviceSectionBytes section(ByteBuffer in, int at, int bodyAt, int end) {
        int n = in.get(at + 5) & 0xff;
        byte[] idstr = new byte[n];
        in.get(at + 6, idstr);
        byte[] body = new byte[end - bodyAt];
        in.get(bodyAt, body);
        return new DeviceSectionBytes(
                new String(idstr, StandardCharsets.US_ASCII), in.getInt(at + 6 + n), in.getInt(at + 10 + n), body);
    }

    /** A depth-first search for a chain of borders; a place from which none reaches the end is not tried twice. */
    private static final class Scan {
        private final ByteBuffer in;
        private final BitSet dead = new BitSet();
        private final List<Integer> starts = new ArrayList<>();
        private final List<Integer> ends = new ArrayList<>();
        private long work;

        Scan(byte[] verbatim) {
            in = ByteBuffer.wrap(verbatim);
        }

        List<DeviceSectionBytes> run() throws WireException {
            int at = 0;
            int from = bodyAt(in, 0);
            work = 64L * in.limit() + (1 << 20);
            while (at < in.limit()) {
                int footer = from < 0 ? -1 : footer(at, from);
                if (footer >= 0) {
                    if (starts.size() == MAX_SECTIONS) {
                        throw new WireException(
                                WireException.MAIN, at, "more than " + MAX_SECTIONS + " device sections");
                    }
                    starts.add(at);
                    ends.add(footer);
                    at = footer + WireFormat.FOOTER_SIZE;
                    from = bodyAt(in, at);
                    continue;
                }
                dead.set(at);
                if (starts.isEmpty()) {
                    throw new WireException(WireException.MAIN, 0, "these bytes are no run of device sections");
                }
                at = starts.removeLast();
                from = ends.removeLast() + 1;
            }
            List<DeviceSectionBytes> sections = new ArrayList<>();
            for (int i = 0; i < starts.size(); i++) {
                sections.add(section(in, starts.get(i), bodyAt(in, starts.get(i)), ends.get(i)));
            }
            return Collections.unmodifiableList(sections);
        }

        /** The first place from {@code from} on where the section that begins at {@code at} may end, or -1. */
        private int footer(int at, int from) throws WireException {
            int limit = in.limit();
            for (int end = from; end + WireFormat.FOOTER_SIZE <= limit; end++) {
                if (--work < 0) {
                    throw new WireException(
                            WireException.MAIN, end, "the borders of these device sections are too ambiguous");
                }
                int next = end + WireFormat.FOOTER_SIZE;
                if (footerAt(in, at, end) && !dead.get(next) && (next == limit || bodyAt(in, next) >= 0)) {
                    return end;
                }
            }
            return -1;
        }
    }
}
