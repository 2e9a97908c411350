// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class QmpFramerTest {
    private static final int MAX = 64;

    private static List<String> cut(String stream, int... packets) {
        QmpFramer framer = new QmpFramer(MAX);
        byte[] bytes = stream.getBytes(StandardCharsets.ISO_8859_1);
        List<String> frames = new ArrayList<>();
        int at = 0;
        for (int i = 0; at < bytes.length; i++) {
            int length = packets.length == 0 ? bytes.length : Math.min(packets[i % packets.length], bytes.length - at);
            ByteBuffer packet = ByteBuffer.wrap(bytes, at, length);
            for (QmpFramer.Frame frame = framer.next(packet); frame != null; frame = framer.next(packet)) {
                frames.add(shown(frame));
            }
            at += length;
        }
        QmpFramer.Frame rest = framer.end();
        if (rest != null) {
            frames.add(shown(rest));
        }
        return frames;
    }

    private static String shown(QmpFramer.Frame frame) {
        return switch (frame) {
            case QmpFramer.Frame.Text text -> new String(text.utf8(), StandardCharsets.ISO_8859_1);
            case QmpFramer.Frame.Bad bad -> "bad: " + bad.reason();
        };
    }

    @Test
    void needsNothingBetweenMessages() {
        assertThat(cut("{\"a\":1}{\"b\":[{}]}\r\n [1] {}")).containsExactly("{\"a\":1}", "{\"b\":[{}]}", "[1]", "{}");
    }

    @Test
    void deliversAMessageWithItsLastByteAndNotLater() {
        QmpFramer framer = new QmpFramer(MAX);

        assertThat(framer.next(ByteBuffer.wrap("{\"a\"".getBytes(StandardCharsets.US_ASCII))))
                .isNull();
        assertThat(framer.next(ByteBuffer.wrap(":1}".getBytes(StandardCharsets.US_ASCII))))
                .isNotNull();
    }

    @Test
    void takesBracesAndQuotesInStringsForText() {
        assertThat(cut("{\"a\":\"}{\\\"]\\\\\"}{'b':'}\"\\''}"))
                .containsExactly("{\"a\":\"}{\\\"]\\\\\"}", "{'b':'}\"\\''}");
    }

    @Test
    void findsTheNextMessageBehindJunk() {
        assertThat(cut("hello there\n{\"a\":1}oops{\"b\":2}42"))
                .containsExactly("hello there", "{\"a\":1}", "oops", "{\"b\":2}", "42");
    }

    @Test
    void deliversUnbalancedBracketsAsOnePieceThatIsNoJson() {
        assertThat(cut("{]{\"a\":1}")).containsExactly("{]", "{\"a\":1}");
        assertThat(cut("}\n{\"a\":1}")).containsExactly("}", "{\"a\":1}");
    }

    @Test
    void goesOnBehindAStringThatIsNotClosedOnItsLine() {
        assertThat(cut("{\"a\":\"x}\n{\"b\":1}"))
                .containsExactly("bad: byte 0x0a cannot stand inside of a message", "{\"b\":1}");
    }

    @Test
    void skipsTheRestOfALineWithAControlCharacter() {
        assertThat(cut("{\"a\":\u0001{}}{}\n{\"b\":1}"))
                .containsExactly("bad: byte 0x01 cannot stand inside of a message", "{\"b\":1}");
    }

    @Test
    void beginsAnewAtTheByteThatIsNeverInUtf8() {
        assertThat(cut("{\"a\":{\u00ff{\"b\":1}"))
                .containsExactly("bad: byte 0xff cannot stand inside of a message", "{\"b\":1}");
    }

    @Test
    void saysOnceThatAMessageIsTooLongAndGoesOnBehindIt() {
        String fits = "{\"a\":\"" + "x".repeat(MAX - 8) + "\"}";
        String tooLong = "{\"a\":\"" + "x".repeat(MAX - 7) + "\"}";

        assertThat(cut(fits + "{}")).containsExactly(fits, "{}");
        assertThat(cut(tooLong + "{}")).containsExactly("bad: a message has more than 64 bytes", "{}");
        assertThat(cut("{\"a\":[" + "1,".repeat(1000) + "{}]}{}"))
                .containsExactly("bad: a message has more than 64 bytes", "{}");
        assertThat(cut("x".repeat(1000) + "\n{}")).containsExactly("bad: a message has more than 64 bytes", "{}");
    }

    @Test
    void saysThatTheStreamEndedInsideOfAMessage() {
        assertThat(cut("{}{\"a\"")).containsExactly("{}", "bad: the stream ended inside of a message");
    }

    @Test
    void howTheBytesArriveDoesNotMatter() {
        long seed = Long.getLong("godwit.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        String alphabet = "{}[]\"'\\:,ab1 \n\r\u0001\u00ff";
        for (int i = 0; i < 3000; i++) {
            StringBuilder stream = new StringBuilder();
            for (int n = random.nextInt(120); n > 0; n--) {
                stream.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            assertThat(cut(stream.toString(), 1 + random.nextInt(5), 1 + random.nextInt(9)))
                    .as("-Dgodwit.seed=%d: %s", seed, stream)
                    .isEqualTo(cut(stream.toString()));
        }
    }
}
