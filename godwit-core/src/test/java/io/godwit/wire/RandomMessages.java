// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.godwit.page.BlockInfo;
import io.godwit.page.BlockTable;
import io.godwit.page.PageBitmap;
import io.godwit.page.Pages;
import io.godwit.wire.StreamMessage.Command;
import io.godwit.wire.StreamMessage.Configuration;
import io.godwit.wire.StreamMessage.MemSize;
import io.godwit.wire.StreamMessage.RamDiscard;
import io.godwit.wire.StreamMessage.Range;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.UUID;

/** Whole streams and return paths that are right, at random. */
final class RandomMessages {
    private final Random random;

    RandomMessages(Random random) {
        this.random = random;
    }

    private String name() {
        int n = random.nextInt(12) == 0 ? 255 : 1 + random.nextInt(12);
        StringBuilder name = new StringBuilder();
        while (name.toString().getBytes(UTF_8).length < n) {
            name.append((char) (random.nextInt(20) == 0 ? 0xe9 : 'a' + random.nextInt(26)));
        }
        return name.toString().getBytes(UTF_8).length > 255 ? name.substring(2) : name.toString();
    }

    private byte[] bytes(int most) {
        byte[] bytes = new byte[random.nextInt(most + 1)];
        random.nextBytes(bytes);
        return bytes;
    }

    BlockTable blocks(DecoderOptions options) {
        List<BlockInfo> blocks = new ArrayList<>();
        List<String> names = new ArrayList<>(options.hugeBlocks().keySet());
        for (int n = 1 + random.nextInt(6); n > 0; n--) {
            names.add(name());
        }
        for (String name : names.stream().distinct().toList()) {
            long pageSize = options.postcopyRam() ? options.hugeBlocks().getOrDefault(name, 4096L) : Pages.SIZE;
            blocks.add(new BlockInfo(name, pageSize * (1 + random.nextInt(300)), pageSize));
        }
        return new BlockTable(blocks);
    }

    Configuration configuration(DecoderOptions options) {
        return new Configuration(
                name(),
                random.nextBoolean() ? OptionalInt.empty() : OptionalInt.of(12),
                options.ignoreShared() ? List.of("x-ignore-shared") : List.of(),
                random.nextBoolean() ? null : new UUID(random.nextLong(), random.nextLong()));
    }

    MemSize memSize(BlockTable blocks, DecoderOptions options) {
        return new MemSize(blocks.list().stream()
                .map(b -> new MemSize.Block(
                        b, options.ignoreShared() ? OptionalLong.of(random.nextLong()) : OptionalLong.empty()))
                .toList());
    }

    Command command(BlockTable blocks) {
        return switch (random.nextInt(11)) {
            case 0 -> new StreamMessage.OpenReturnPath();
            case 1 -> new StreamMessage.Ping(random.nextInt());
            case 2 -> new StreamMessage.PostcopyAdvise(random.nextLong(), random.nextLong());
            case 3 -> new StreamMessage.PostcopyAdviseNoRam();
            case 4 -> new StreamMessage.PostcopyListen();
            case 5 -> new StreamMessage.PostcopyRun();
            case 6 -> new StreamMessage.EnableColo();
            case 7 -> new StreamMessage.PostcopyResume();
            case 8 -> new StreamMessage.SwitchoverStart();
            case 9 -> new StreamMessage.RecvBitmap(block(blocks).name());
            default -> discard(blocks);
        };
    }

    private BlockInfo block(BlockTable blocks) {
        return blocks.get(random.nextInt(blocks.size()));
    }

    private RamDiscard discard(BlockTable blocks) {
        BlockInfo block = block(blocks);
        List<Range> ranges = new ArrayList<>();
        for (int n = random.nextInt(8) == 0 ? 3_000 : 1 + random.nextInt(12); n > 0; n--) {
            long from = random.nextLong(block.pages());
            ranges.add(new Range(from * Pages.SIZE, (1 + random.nextLong(block.pages() - from)) * Pages.SIZE));
        }
        return new RamDiscard(block.name(), ranges);
    }

    List<DeviceSectionBytes> devices() {
        List<DeviceSectionBytes> devices = new ArrayList<>();
        for (int n = 1 + random.nextInt(5); n > 0; n--) {
            devices.add(new DeviceSectionBytes(
                    "dev" + random.nextInt(100),
                    random.nextInt(),
                    random.nextInt(),
                    bytes(random.nextInt(3) == 0 ? 30_000 : 60)));
        }
        return devices;
    }

    byte[] description(List<DeviceSectionBytes> devices) {
        StringBuilder text = new StringBuilder("{\"devices\": [");
        for (DeviceSectionBytes d : devices) {
            text.append(text.toString().endsWith("[") ? "" : ", ")
                    .append("{\"name\": \"%s\", \"instance_id\": %d, \"fields\": [{\"size\": %d}]}"
                            .formatted(d.idstr(), Integer.toUnsignedLong(d.instanceId()), d.body().length));
        }
        return text.append("]}").toString().getBytes(UTF_8);
    }

    /** Page records by an encoder that lives as long as the channel, encoded pages among them if {@code options} take them. */
    byte[] pages(BlockTable blocks, RecordEncoder encoder, DecoderOptions options, int most) {
        ByteBuffer out = ByteBuffer.allocate((most + 1) * (RecordEncoder.MAX_RECORD + 32));
        int block = random.nextInt(blocks.size());
        for (int n = random.nextInt(most + 1); n > 0; n--) {
            block = random.nextInt(4) == 0 ? random.nextInt(blocks.size()) : block;
            long page = random.nextLong(blocks.get(block).pages());
            int kind = random.nextInt(4);
            if (kind == 0) {
                encoder.zero(out, block, page);
            } else if (kind == 1 && options.xbzrle()) {
                byte[] delta = new byte[1 + random.nextInt(Pages.SIZE)];
                random.nextBytes(delta);
                encoder.xbzrle(out, block, page, delta.length);
                out.put(delta);
            } else if (kind == 2 && options.compress()) {
                byte[] zlib = new byte[1 + random.nextInt(EncodedPage.Encoding.ZLIB.most())];
                random.nextBytes(zlib);
                encoder.word(out, block, page, WireFormat.FLAG_COMPRESS);
                out.putInt(zlib.length).put(zlib);
            } else {
                byte[] data = new byte[Pages.SIZE];
                random.nextBytes(data);
                encoder.header(out, block, page);
                out.put(data);
            }
        }
        byte[] bytes = new byte[out.flip().remaining()];
        out.get(bytes);
        return bytes;
    }

    /** A whole precopy or postcopy stream. */
    byte[] stream(BlockTable blocks, DecoderOptions options) {
        int id = random.nextInt();
        RecordEncoder records = new RecordEncoder(blocks);
        boolean postcopy = random.nextBoolean();
        Wire wire = new Wire().message(new StreamMessage.Header()).message(configuration(options));
        wire.message(new StreamMessage.OpenReturnPath())
                .message(new StreamMessage.SectionStart(id, "ram", 0, 4))
                .message(memSize(blocks, options));
        StreamMessage.Footer footer = new StreamMessage.Footer(id);
        StreamMessage.EndOfRecords end = new StreamMessage.EndOfRecords();
        wire.message(end).message(footer);
        for (int n = random.nextInt(6); n > 0; n--) {
            wire.message(command(blocks)).message(new StreamMessage.SectionPart(id));
            wire.bytes(pages(blocks, records, options, 6)).message(end).message(footer);
        }
        List<DeviceSectionBytes> devices = devices();
        byte[] run = DeviceSections.encode(devices, random.nextInt());
        if (postcopy) {
            wire.message(new PackagedBlob(run, List.of(3, 0x42)).encode());
        }
        wire.message(new StreamMessage.SectionEnd(id))
                .bytes(pages(blocks, records, postcopy ? DecoderOptions.PLAIN : options, 6))
                .message(end)
                .message(footer);
        if (postcopy) {
            return wire.u8(0).toBytes();
        }
        return wire.bytes(run)
                .u8(0)
                .message(new StreamMessage.VmDescription(description(devices)))
                .toBytes();
    }

    ReturnPathMessage returnPath(BlockTable blocks) {
        int index = random.nextInt(blocks.size());
        BlockInfo block = blocks.get(index);
        long pages = block.usedLength() / block.pageSize();
        long page = random.nextLong(pages);
        int count = 1 + random.nextInt((int) Math.min(4, pages - page));
        return switch (random.nextInt(6)) {
            case 0 -> new ReturnPathMessage.Shut(random.nextInt());
            case 1 -> new ReturnPathMessage.Pong(random.nextInt());
            case 2 -> new ReturnPathMessage.ResumeAck(random.nextInt());
            case 3 -> new ReturnPathMessage.SwitchoverAck();
            case 4 ->
                new ReturnPathMessage.ReqPagesId(
                        block.name(), page * block.pageSize(), (int) (count * block.pageSize()));
            default -> {
                PageBitmap bitmap = new PageBitmap(block.pages());
                for (int i = 0; i < bitmap.wordCount(); i++) {
                    bitmap.setWord(i, random.nextLong());
                }
                yield new ReturnPathMessage.RecvBitmap(index, bitmap);
            }
        };
    }
}
