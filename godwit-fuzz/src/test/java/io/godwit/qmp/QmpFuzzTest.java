// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Budget;
import io.godwit.fuzz.Pieces;
import io.godwit.json.Json;
import io.godwit.json.JsonLimits;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import io.godwit.json.JsonTypeException;
import io.godwit.net.Address;
import io.godwit.net.MigrationAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a client or server of QMP may say. */
class QmpFuzzTest {
    private static final int MAX_MESSAGE = 4096;
    private static final JsonLimits LIMITS = new JsonLimits(MAX_MESSAGE, 64, MAX_MESSAGE, true);

    /** The first byte of an input is the size of the pieces. */
    @FuzzTest
    void framer(byte[] input) {
        byte[] bytes = Pieces.rest(input, 1);
        Budget.holds(bytes.length, budget -> frames(bytes, 0, budget::step));
        List<QmpFramer.Frame> whole = frames(bytes, 0, () -> {});
        if (!told(whole).equals(told(frames(bytes, Pieces.control(input, 0), () -> {})))) {
            throw new AssertionError("in pieces other frames than " + told(whole));
        }
        int size = 0;
        for (QmpFramer.Frame frame : whole) {
            if (frame instanceof QmpFramer.Frame.Text(byte[] utf8)) {
                size += utf8.length;
                message(utf8);
            }
        }
        if (size > bytes.length) {
            throw new AssertionError(size + " bytes of text out of " + bytes.length);
        }
    }

    private static List<QmpFramer.Frame> frames(byte[] bytes, int kind, Runnable step) {
        List<QmpFramer.Frame> frames = new ArrayList<>();
        QmpFramer framer = new QmpFramer(MAX_MESSAGE);
        Pieces pieces = new Pieces(bytes, 2 * MAX_MESSAGE, kind);
        while (pieces.next()) {
            for (QmpFramer.Frame f = framer.next(pieces.buffer()); f != null; f = framer.next(pieces.buffer())) {
                step.run();
                frames.add(f);
            }
            if (pieces.buffer().hasRemaining()) {
                throw new AssertionError(pieces.buffer().remaining() + " bytes were left");
            }
        }
        add(framer.end(), frames);
        add(framer.end(), new ArrayList<>());
        return frames;
    }

    private static void add(QmpFramer.@Nullable Frame frame, List<QmpFramer.Frame> frames) {
        if (frame != null) {
            frames.add(frame);
        }
    }

    private static List<String> told(List<QmpFramer.Frame> frames) {
        return frames.stream()
                .map(frame -> frame instanceof QmpFramer.Frame.Text(byte[] utf8)
                        ? new String(utf8, StandardCharsets.ISO_8859_1)
                        : frame.toString())
                .toList();
    }

    /** A message means the same once it was written and read. */
    private static void message(byte[] utf8) {
        if (utf8.length > MAX_MESSAGE) {
            throw new AssertionError("a message of " + utf8.length + " bytes");
        }
        QmpMessage message;
        try {
            message = QmpMessage.parse(Json.parse(utf8, LIMITS));
        } catch (JsonSyntaxException | QmpFormatException e) {
            return;
        }
        try {
            if (!QmpMessage.parse(message.toJson()).equals(message)) {
                throw new AssertionError(message + " is written as another message");
            }
        } catch (QmpFormatException e) {
            throw new AssertionError("our own message is refused: " + message, e);
        }
    }

    /** Arguments of migrate, in any form. */
    @FuzzTest
    void target(byte[] text) {
        Budget.holds(text.length, _ -> targeted(text));
    }

    private static void targeted(byte[] text) {
        try {
            if (Json.parse(text, LIMITS) instanceof JsonObject arguments) {
                sameAgain(MigrateTarget.of("migrate", arguments, new ClientDescriptors()));
            }
        } catch (JsonSyntaxException | QmpError | JsonTypeException e) {
            // The three errors that a command's caller is answered with.
        }
    }

    @FuzzTest
    void uri(byte[] bytes) {
        Budget.holds(bytes.length, _ -> addressed(bytes));
    }

    private static void addressed(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        MigrationAddress address;
        try {
            address = MigrationAddress.parse(StandardCharsets.UTF_8.decode(in).toString());
        } catch (IllegalArgumentException e) {
            if (String.valueOf(e.getMessage()).isBlank()) {
                throw new AssertionError("an error without a word", e);
            }
            return;
        }
        sameAgain(address);
    }

    /** What is opened here has no text form that says all of it. */
    private static void sameAgain(MigrationAddress address) {
        if (address instanceof Address socket) {
            MigrateTarget.shown(socket);
            if (!MigrationAddress.parse(socket.toString()).equals(socket)) {
                throw new AssertionError(socket + " is read as " + MigrationAddress.parse(socket.toString()));
            }
        }
    }
}
