// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static io.godwit.wire.Wire.RAM_ID;
import static io.godwit.wire.Wire.afterConfiguration;
import static io.godwit.wire.Wire.afterEnd;
import static io.godwit.wire.Wire.afterStart;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.godwit.page.BlockInfo;
import io.godwit.wire.StreamMessage.Configuration;
import io.godwit.wire.StreamMessage.EndOfStream;
import io.godwit.wire.StreamMessage.MemSize;
import io.godwit.wire.StreamMessage.Packaged;
import io.godwit.wire.StreamMessage.RamDiscard;
import io.godwit.wire.StreamMessage.Range;
import io.godwit.wire.StreamMessage.SectionEnd;
import io.godwit.wire.StreamMessage.SectionPart;
import io.godwit.wire.StreamMessage.SectionStart;
import io.godwit.wire.UnsupportedOnWireException.Feature;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the main channel may not carry: each is told with its place and what was wrong. */
class StreamRefusalTest {
    private static Wire part() {
        return afterStart().message(new SectionPart(RAM_ID));
    }

    private static Wire command(int code, int length) {
        return afterStart().u8(8).u16(code).u16(length);
    }

    private static Wire discard(String block, long start, long length) {
        return afterStart().message(new RamDiscard(block, List.of(new Range(start, length))));
    }

    private static Wire blockList(long word) {
        return afterConfiguration().message(SectionStart.ram(RAM_ID)).u64(word);
    }

    /** Stream, bytes from its end back to the wrong one, words of the reason. */
    static Stream<Arguments> wrong() {
        return Stream.of(
                arguments(new Wire().u32(0x51455600).u32(3), 8, "no migration stream"),
                arguments(new Wire().u32(0x5145564d).u32(2), 4, "stream version 2"),
                arguments(new Wire().u32(0x5145564d).u32(3).u8(5), 1, "0x5 where a section"),
                arguments(configuration().u32(0), 4, "a machine name of 0 bytes"),
                arguments(configuration().u32(0xffffffffL), 4, "a machine name of 4294967295 bytes"),
                arguments(configuration().u32(2).u8(0x70, 0xff), 2, "the machine name is not UTF-8"),
                arguments(configuration().u32(2).u8(0x70, 0x0a), 2, "control character"),
                arguments(subsection("configuration/x"), 15, "unknown subsection 'configuration/x'"),
                arguments(subsection("configuration/uuid").u32(2), 4, "has version 2"),
                arguments(subsection("configuration/target-page-bits").u32(1).u32(13), 4, "pages of 2^13"),
                arguments(subsection("configuration/capabilities").u32(1).u32(33), 4, "33 capability names"),
                arguments(subsection("configuration/capabilities").u32(1).u32(1).str8("xyz"), 3, "capability 'xyz'"),
                arguments(
                        subsection("configuration/capabilities")
                                .u32(1)
                                .u32(1)
                                .str8("x-ignore-shared")
                                .u8(0),
                        1,
                        "off here and on at the source"),
                arguments(
                        subsection("configuration/uuid").u32(1).zeros(16).u8(5).str8("configuration/uuid"),
                        18,
                        "stands twice"),
                arguments(afterConfiguration().u8(9), 1, "0x9 where a section or command"),
                arguments(afterConfiguration().u8(7), 1, "0x7 where a section or command"),
                arguments(afterConfiguration().u8(0), 1, "ends before the END of ram"),
                arguments(afterConfiguration().u8(2).u32(5), 4, "PART of section 5, which has no START"),
                arguments(afterConfiguration().u8(3).u32(5), 4, "END of section 5, which has no START"),
                arguments(afterConfiguration().u8(1).u32(1).str8("ram").u32(0).u32(3), 4, "ram of version 3"),
                arguments(afterConfiguration().u8(1).u32(1).str8("").zeros(8), 9, "name is empty"),
                arguments(blockList(0x10), 8, "flags 0x10 instead of its block list"),
                arguments(blockList(0x008), 8, "flags 0x8 instead of its block list"),
                arguments(blockList(0x004), 8, "0 bytes of RAM"),
                arguments(blockList(-4096 | 4), 8, "18446744073709547520 bytes of RAM"),
                arguments(blockList((1L << 47) | 4), 8, "bytes of RAM"),
                arguments(blockList(8192 | 4).str8("a").u64(12288), 8, "has 12288 bytes"),
                arguments(blockList(8192 | 4).str8("a").u64(4095), 8, "has 4095 bytes"),
                arguments(blockList(8192 | 4).str8("a").u64(0), 8, "has 0 bytes"),
                arguments(blockList(8192 | 4).str8("a").u64(-4096), 8, "has 18446744073709547520 bytes"),
                arguments(blockList(8192 | 4).str8(""), 1, "name is empty"),
                arguments(
                        blockList(8192 | 4).str8("a").u64(4096).str8("a").u64(4096),
                        10,
                        "two RAM blocks are named 'a'"),
                arguments(blockList(4096 | 4).str8("a").u64(4096).u64(0x1008), 8, "word 0x1008 after the block list"),
                arguments(afterStart().message(SectionStart.ram(3)), 12, "a second START of ram"),
                arguments(part().u64(0x0a), 8, "flags 0xa"),
                arguments(part().u64(0x04), 8, "flags 0x4"),
                arguments(part().u64(0x30), 8, "flags 0x30"),
                arguments(part().u64(0x1010), 8, "flags 0x10"),
                arguments(part().u64(0), 8, "flags 0x0"),
                arguments(part().u64(0x401), 8, "flags 0x401"),
                arguments(part().u64(0x801), 8, "flags 0x801"),
                arguments(part().u64(0x001), 8, "obsolete"),
                arguments(part().u64(0x28), 8, "none was named"),
                arguments(part().u64(0x02).str8("pc.rom").u8(0), 7, "no RAM block is named 'pc.rom'"),
                arguments(part().u64(0x02).str8("a\n").u8(0), 3, "no RAM block is named 'a.'"),
                arguments(part().u64(0x02).str8("").u8(0), 1, "no RAM block is named ''"),
                arguments(part().u64(0x1002).str8("rom").u8(0), 13, "offset 0x1000 is past the end of block 'rom'"),
                arguments(part().u64(-4096 | 8).str8("rom").zeros(4096), 4108, "past the end of block 'rom'"),
                arguments(part().u64(0x02).str8("rom").u8(1), 1, "fill byte is 1"),
                arguments(part().u64(0x10).u8(2).u32(0), 5, "footer of ram should begin"),
                arguments(part().u64(0x10).u8(0x7e).u32(1), 4, "footer of section 1 after a body of section 77"),
                arguments(afterEnd().u8(2).u32(RAM_ID), 5, "PART of ram after its END"),
                arguments(afterEnd().u8(0, 7, 0, 0, 0, 0), 5, "0x7 after the end of the migration"),
                arguments(afterEnd().u8(0, 6).u32(0x7fffffff), 4, "a vmdesc of 2147483647 bytes"),
                arguments(afterEnd().u8(0, 6).u32(0).u8(1, 2), 2, "2 bytes after the end"),
                arguments(command(0, 0), 4, "unknown command 0"),
                arguments(command(12, 0), 4, "unknown command 12"),
                arguments(command(2, 3), 2, "command 2 with a payload of 3 bytes"),
                arguments(command(3, 8), 2, "command 3 with a payload of 8 bytes"),
                arguments(command(8, 1), 2, "command 8 with a payload of 1 bytes"),
                arguments(command(10, 1), 2, "command 10 with a payload of 1 bytes"),
                arguments(command(10, 4).str8("romm").u8(), 5, "name has 4 bytes in a payload of 4"),
                arguments(command(10, 4).str8("xyz"), 3, "no RAM block is named 'xyz'"),
                arguments(command(7, 4).u32(0x80000000L), 4, "a PACKAGED blob of 2147483648 bytes"),
                arguments(discard("rom", 0, 8192), 16, "range 0x0+0x2000 to discard in block 'rom'"),
                arguments(discard("rom", 4096, 4096), 16, "range 0x1000+0x1000"),
                arguments(discard("rom", 1, 4096), 16, "not of whole pages"),
                arguments(discard("rom", 0, 0), 16, "range 0x0+0x0"),
                arguments(discard("rom", -4096, 8192), 16, "range 0xfffffffffffff000"),
                arguments(discard("pc.ram", 4096, Long.MAX_VALUE & -4096), 16, "not of whole pages inside"),
                arguments(discard("nope", 0, 4096), 21, "no RAM block is named 'nope'"),
                arguments(command(6, 21).u8(1).str8("a").zeros(18), 21, "of version 1"),
                arguments(command(6, 22).u8(0).str8("a").zeros(19), 21, "no whole number of ranges"),
                arguments(command(6, 20).u8(0).str8("ro").zeros(16), 19, "no whole number of ranges"),
                arguments(command(6, 22).u8(0).str8("rom").u8(1).zeros(16), 17, "does not end with a 0 byte"),
                arguments(afterConfiguration().u8(8).u16(10).u16(4).str8("rom"), 3, "before the block list"),
                arguments(afterStart().message(new Packaged(new byte[3])).u8(4), 1, "outside of the PACKAGED blob"));
    }

    private static Wire configuration() {
        return new Wire().message(new StreamMessage.Header()).u8(7);
    }

    private static Wire subsection(String name) {
        return configuration().u32(2).u8('p', 'c').u8(5).str8(name);
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void isToldWithItsPlace(Wire stream, int back, String reason) {
        WireException refusal = stream.refusal();

        assertThat(refusal.reason()).contains(reason);
        assertThat(refusal.channel()).isEqualTo("main");
        assertThat(refusal.offset()).isEqualTo(stream.size() - back);
        assertThat(refusal).hasMessage("main channel, byte " + refusal.offset() + ": " + refusal.reason());
        assertThat(refusal.getStackTrace()).isEmpty();
    }

    static Stream<Arguments> unsupported() {
        return Stream.of(
                arguments(part().u64(0x40), Feature.XBZRLE, 8),
                arguments(part().u64(0x60), Feature.XBZRLE, 8),
                arguments(part().u64(0x100), Feature.COMPRESS, 8),
                arguments(part().u64(0x200), Feature.MULTIFD, 8),
                arguments(part().u64(0x80), Feature.RDMA, 8),
                arguments(blockList(4096 | 4).str8("a").u64(4096).u64(0x200), Feature.MULTIFD, 8),
                arguments(
                        subsection("configuration/capabilities").u32(1).u32(1).str8("mapped-ram"),
                        Feature.MAPPED_RAM,
                        10),
                arguments(
                        afterConfiguration()
                                .u8(1)
                                .u32(4)
                                .str8("dirty-bitmap")
                                .u32(0)
                                .u32(1),
                        Feature.ITERABLE,
                        21));
    }

    @ParameterizedTest
    @MethodSource("unsupported")
    void whatIsNotSpokenIsRefusedByName(Wire stream, Feature feature, int back) {
        WireException refusal = stream.refusal();

        assertThat(refusal).isInstanceOf(UnsupportedOnWireException.class).hasMessageContaining(feature.title());
        assertThat(((UnsupportedOnWireException) refusal).feature()).isEqualTo(feature);
        assertThat(refusal.offset()).isEqualTo(stream.size() - back);
    }

    static Stream<Arguments> wrongEncodedPages() {
        return Stream.of(
                arguments(part().u64(0x40).str8("rom").u8(0).u16(1), 3, "begins with byte 0, not 1"),
                arguments(part().u64(0x40).str8("rom").u8(1).u16(0), 2, "an xbzrle record of 0 bytes"),
                arguments(part().u64(0x40).str8("rom").u8(1).u16(4097), 2, "an xbzrle record of 4097 bytes"),
                arguments(part().u64(0x1040).str8("rom").u8(1).u16(1).u8(0), 16, "past the end of block 'rom'"),
                arguments(part().u64(0x40).str8("pc.rom").u8(1), 7, "no RAM block is named 'pc.rom'"),
                arguments(part().u64(0x60).u8(1), 9, "none was named"),
                arguments(part().u64(0x48).u8(1), 9, "flags 0x48"),
                arguments(part().u64(0x140).u8(1), 9, "flags 0x140"),
                arguments(part().u64(0x100).str8("rom").u32(0), 4, "a compressed page of 0 bytes"),
                arguments(part().u64(0x100).str8("rom").u32(4111), 4, "a compressed page of 4111 bytes"),
                arguments(part().u64(0x100).str8("rom").u32(-1), 4, "a compressed page of 4294967295 bytes"),
                arguments(part().u64(0x120).u32(0), 12, "none was named"),
                arguments(
                        afterStart()
                                .message(new Packaged(new byte[0]))
                                .message(new SectionPart(RAM_ID))
                                .u64(0x40),
                        8,
                        "an encoded page may not come in postcopy"));
    }

    @ParameterizedTest
    @MethodSource("wrongEncodedPages")
    void aWrongEncodedPageIsToldWithItsPlace(Wire stream, int back, String reason) {
        WireException refusal = stream.refusal(new StreamDecoder(
                StreamLimits.DEFAULT, DecoderOptions.PLAIN.withXbzrle(true).withCompress(true)));

        assertThat(refusal.reason()).contains(reason);
        assertThat(refusal.offset()).isEqualTo(stream.size() - back);
    }

    @Test
    void limitsCountBlocksBytesAndBlobs() {
        StreamLimits small = new StreamLimits(100, 200, 50, 1, 1 << 20);
        DecoderOptions options = DecoderOptions.PLAIN;
        Wire twoBlocks = afterStart();
        Wire muchRam = afterConfiguration()
                .message(SectionStart.ram(1))
                .message(MemSize.of(List.of(BlockInfo.of("a", 2 << 20))));
        Wire oneBlock = afterConfiguration()
                .message(SectionStart.ram(RAM_ID))
                .message(MemSize.of(List.of(Wire.ROM)))
                .endOfSection();

        assertThat(twoBlocks.refusal(new StreamDecoder(small, options))).hasMessageContaining("more than 1 RAM blocks");
        assertThat(muchRam.refusal(new StreamDecoder(small, options))).hasMessageContaining("2097152 bytes of RAM");
        assertThat(oneBlock.message(new Packaged(new byte[101])).refusal(new StreamDecoder(small, options)))
                .hasMessageContaining("a PACKAGED blob of 101 bytes");
    }

    @Test
    void deviceStateWithoutAnEndIsLimited() {
        StreamLimits small = new StreamLimits(100, 20_000, 50, 8, 1 << 20);
        for (Wire place : List.of(afterStart(), afterEnd())) {
            Wire devices = place.u8(4).u32(9).str8("dev").u32(0).u32(1).zeros(30_000);
            assertThat(devices.refusal(new StreamDecoder(small, DecoderOptions.PLAIN)))
                    .hasMessageContaining("more than 20000 bytes of device state");
        }
    }

    /** Each is small enough, and all of them are kept until the guest is there. */
    @Test
    void deviceStateInManySectionsIsLimitedAsInOne() throws Exception {
        StreamLimits small = new StreamLimits(100, 20_000, 50, 8, 1 << 20);
        byte[] one = DeviceSections.encode(List.of(new DeviceSectionBytes("dev", 0, 1, new byte[9_978])), 9);
        assertThat(one.length).as("so that two are just not too much").isEqualTo(10_000);
        Wire memory = new Wire().message(SectionStart.ram(RAM_ID)).message(MemSize.of(List.of(Wire.ROM)));
        Wire two = afterConfiguration().bytes(one).bytes(one).bytes(memory.toBytes());
        Wire three = afterConfiguration().bytes(one).bytes(one).bytes(one);
        Wire apart = afterConfiguration().bytes(one).bytes(memory.toBytes()).endOfSection();
        apart.bytes(one).message(new SectionPart(RAM_ID)).endOfSection().bytes(one);

        assertThat(two.decode(new StreamDecoder(small, DecoderOptions.PLAIN)))
                .contains(new StreamMessage.DeviceState(one));
        for (Wire much : List.of(three, apart)) {
            assertThat(much.refusal(new StreamDecoder(small, DecoderOptions.PLAIN))
                            .reason())
                    .isEqualTo("more than 20000 bytes of device state");
        }
    }

    @Test
    void deviceSectionsAreCounted() throws Exception {
        byte[] one = DeviceSections.encode(List.of(new DeviceSectionBytes("d", 0, 1, new byte[0])), 9);
        Wire most = afterConfiguration();
        for (int i = 0; i < DeviceSections.MAX_SECTIONS; i++) {
            most.bytes(one);
        }
        int size = most.size();
        Wire more = new Wire().bytes(most.toBytes()).bytes(one);

        assertThat(most.message(SectionStart.ram(RAM_ID)).decode(DecoderOptions.PLAIN))
                .endsWith(SectionStart.ram(RAM_ID));
        assertThat(more.refusal().reason()).isEqualTo("more than 4096 device sections before the END of ram");
        assertThat(more.refusal().offset()).isEqualTo(size);
    }

    @Test
    void aRecoveryKnowsTheBlocksButForgotTheLastOne() {
        StreamContext context = new StreamContext(Wire.BLOCKS, RAM_ID);
        Wire continued = new Wire().message(new SectionPart(RAM_ID)).u64(0x22).u8(0);
        Wire restarted = new Wire().message(SectionStart.ram(RAM_ID));

        assertThat(continued.refusal(StreamDecoder.recovery(StreamLimits.DEFAULT, DecoderOptions.PLAIN, context)))
                .hasMessageContaining("none was named");
        assertThat(restarted.refusal(StreamDecoder.recovery(StreamLimits.DEFAULT, DecoderOptions.PLAIN, context)))
                .hasMessageContaining("a second START of ram");
    }

    /** Before its blob is waited for: whoever reaches a paused guest's port could fill its memory with them otherwise. */
    @Test
    void packagedComesOnceAndNeverOnARecovery() {
        StreamContext context = new StreamContext(Wire.BLOCKS, RAM_ID);
        Wire recovery = new Wire().message(new StreamMessage.RecvBitmap(Wire.ROM.name()));
        Wire twice = afterStart().message(new PackagedBlob(new byte[0], List.of(3)).encode());
        int first = recovery.size();
        int second = twice.size();

        WireException strangers = recovery.u8(8)
                .u16(7)
                .u16(4)
                .refusal(StreamDecoder.recovery(StreamLimits.DEFAULT, DecoderOptions.PLAIN, context));
        WireException sources = twice.u8(8).u16(7).u16(4).refusal();

        assertThat(strangers.reason()).contains("PACKAGED in postcopy", "never on a recovery");
        assertThat(strangers.offset()).isEqualTo(first);
        assertThat(sources.reason()).isEqualTo(strangers.reason());
        assertThat(sources.offset()).isEqualTo(second);
    }

    @Test
    void postcopyEndsWithoutADescription() throws Exception {
        Wire stream = afterStart()
                .message(new PackagedBlob(new byte[0], List.of(3)).encode())
                .message(new SectionEnd(RAM_ID))
                .endOfSection()
                .u8(0);
        StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN);

        assertThat(stream.decode(decoder)).endsWith(new EndOfStream());
        assertThat(decoder.ended()).isTrue();
        assertThat(decoder.needed()).isZero();
        assertThatThrownBy(() -> decoder.next(ByteBuffer.allocate(1))).hasMessageContaining("1 bytes after the end");
    }

    @Test
    void afterAnErrorNothingElseCanBeHad() {
        StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN);
        WireException first = new Wire().u64(0).refusal(decoder);

        assertThatThrownBy(() -> decoder.next(ByteBuffer.wrap(Wire.afterStart().toBytes())))
                .isSameAs(first);
    }

    @Test
    void aLittleEndianBufferIsTheCallersMistake() {
        StreamDecoder decoder = new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN);

        assertThatThrownBy(() -> decoder.next(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("big-endian");
    }

    @Test
    void aCapabilityThatIsOnHereMustBeOnThere() {
        Wire stream = afterConfiguration().u8(0);

        assertThat(stream.refusal(new StreamDecoder(StreamLimits.DEFAULT, DecoderOptions.PLAIN.withIgnoreShared(true))))
                .hasMessageContaining("on here and off at the source");
    }

    @Test
    void aHugePageBlockMustBeTheSameThere() {
        DecoderOptions options =
                DecoderOptions.PLAIN.withPostcopyRam(true).withHugeBlocks(java.util.Map.of("m0", 2L << 20));
        Wire stream = blockList((4 << 20) | 4).str8("m0").u64(4 << 20).u64(4096);

        assertThat(stream.refusal(new StreamDecoder(StreamLimits.DEFAULT, options)))
                .hasMessageContaining("on pages of 4096 bytes at the source and of 2097152 here");
    }

    @Test
    void aMachineNameOfGreatLengthIsTaken() throws Exception {
        String name = "m".repeat(Configuration.MAX_MACHINE_BYTES);
        Wire stream = new Wire()
                .message(new StreamMessage.Header())
                .message(Configuration.of(name))
                .u8(8);

        assertThat(stream.decode(DecoderOptions.PLAIN))
                .containsExactly(new StreamMessage.Header(), Configuration.of(name));
    }
}
