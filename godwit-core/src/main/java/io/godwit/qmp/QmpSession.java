// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonLimits;
import io.godwit.json.JsonString;
import io.godwit.json.JsonSyntaxException;
import io.godwit.net.BlockingSocket;
import io.godwit.net.HandedDescriptor;
import io.godwit.sys.Descriptor;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** One client of a {@link QmpServer}. */
final class QmpSession implements QmpConnection.Handler {
    private static final System.Logger LOG = System.getLogger(QmpSession.class.getName());
    private static final String OOB = "oob";
    /** Commands that may wait; further ones stay in the socket, and with them what is out-of-band, as in QEMU. */
    private static final int MAX_WAITING = 8;
    /** How a web browser begins, which a page can make talk to a port of this host. */
    private static final Pattern HTTP = Pattern.compile("^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|PRI) ");

    private static final int LONGEST_METHOD = 8;

    private final QmpConnection connection;
    private final CommandTable commands;
    private final JsonLimits jsonLimits;
    private final WorkQueue<Supplier<QmpMessage>> waiting = new WorkQueue<>(MAX_WAITING);
    private final ClientDescriptors descriptors = new ClientDescriptors();
    private String name = "qmp";
    private volatile boolean negotiated;
    private boolean oobEnabled; // of the reader
    private boolean dismissed; // of the reader

    QmpSession(BlockingSocket socket, CommandTable commands, QmpServer.Limits limits) {
        this.commands = commands;
        this.jsonLimits =
                new JsonLimits(limits.maxMessageBytes(), JsonLimits.DEFAULT.maxDepth(), limits.maxMessageBytes(), true);
        this.connection = new QmpConnection(socket, limits.maxMessageBytes(), limits.maxUnreadBytes(), this);
    }

    void start(String sessionName) {
        name = sessionName;
        connection.offer(new QmpMessage.Greeting(commands.version().toJson(), List.of(OOB)));
        Thread.ofVirtual().name(name + "-commands").start(this::carryOut);
        connection.start(name);
    }

    /** Sends the event if the client has negotiated; drops a client whose queue is full. Never waits. */
    void event(QmpMessage.Event event) {
        if (negotiated && !connection.offer(event)) {
            LOG.log(System.Logger.Level.INFO, () -> name + " was dropped: it does not read what it is sent");
        }
    }

    /** Reads no more, answers what was read, and closes. */
    void finish() {
        connection.stopReading();
    }

    void abort() {
        waiting.finish();
        connection.abort();
    }

    CompletableFuture<Void> closed() {
        return connection.closed();
    }

    @Override
    public void handed(List<Descriptor> came) {
        descriptors.arrived(came);
    }

    @Override
    public void text(byte[] utf8) {
        if (dismissed) {
            return; // what stood behind it in the same packet
        }
        QmpMessage.Command command;
        try {
            command = QmpMessage.Command.parse(Json.parse(utf8, jsonLimits));
        } catch (JsonSyntaxException e) {
            if (looksLikeHttp(utf8)) {
                dismissed = true;
                connection.send(error("this is QMP, not HTTP", null));
                connection.finish();
                finish();
            } else {
                inOrder(() -> error("this is no JSON: " + e.getMessage(), null));
            }
            return;
        } catch (QmpFormatException e) {
            inOrder(() -> error(String.valueOf(e.getMessage()), e.id()));
            return;
        }
        take(command);
    }

    @Override
    public void bad(String reason) {
        inOrder(() -> error("this is no JSON: " + reason, null));
    }

    @Override
    public void ended(String reason) {
        LOG.log(System.Logger.Level.DEBUG, () -> name + " ended: " + reason);
        waiting.finish();
    }

    private void take(QmpMessage.Command command) {
        if (!negotiated) {
            // On the reader, so that what a hasty client sends right behind it already finds it done.
            connection.send(negotiate(command));
        } else if (!command.oob()) {
            inOrder(answering(command));
        } else if (!oobEnabled) {
            connection.send(error(
                    "'exec-oob' needs the capability oob, which this session has not enabled in qmp_capabilities",
                    command.id()));
        } else if (commands.has(command.name()) && !commands.isOob(command.name())) {
            connection.send(error("'" + command.name() + "' cannot be carried out out-of-band", command.id()));
        } else {
            connection.send(answering(command).get());
        }
    }

    /** On the reader: what came along with this command is not the next one's. */
    private Supplier<QmpMessage> answering(QmpMessage.Command command) {
        List<HandedDescriptor> claimed = commands.takesDescriptors(command.name()) ? descriptors.claim() : List.of();
        return () -> {
            try {
                return commands.answer(command, new CommandTable.Client(descriptors, claimed));
            } finally {
                descriptors.discard(claimed);
            }
        };
    }

    private QmpMessage negotiate(QmpMessage.Command command) {
        if (!command.name().equals("qmp_capabilities") || command.oob()) {
            return new QmpMessage.ErrorReply(
                    QmpError.COMMAND_NOT_FOUND,
                    "'" + command.name() + "' is not known yet: first negotiate with qmp_capabilities",
                    command.id());
        }
        try {
            commands.checkOnly(command);
        } catch (QmpError e) {
            return error(String.valueOf(e.getMessage()), command.id());
        }
        JsonArray enable =
                command.arguments().has("enable") ? command.arguments().array("enable") : Json.array();
        for (Json capability : enable) {
            if (!(capability instanceof JsonString(String word)) || !word.equals(OOB)) {
                return error("there is no capability " + capability + " to enable; there is \"oob\"", command.id());
            }
        }
        oobEnabled = enable.size() > 0;
        negotiated = true;
        return new QmpMessage.Return(Json.object(), command.id());
    }

    private void inOrder(Supplier<QmpMessage> work) {
        if (negotiated) {
            waiting.put(work);
        } else if (!dismissed) {
            connection.send(work.get()); // as the negotiation's own answers, which it must not overtake
        }
    }

    private void carryOut() {
        for (Supplier<QmpMessage> work = waiting.take(); work != null; work = waiting.take()) {
            connection.send(work.get());
        }
        connection.finish();
        descriptors.close();
    }

    private static QmpMessage error(String sentence, @Nullable Json id) {
        return new QmpMessage.ErrorReply(QmpError.GENERIC, sentence, id);
    }

    private static boolean looksLikeHttp(byte[] text) {
        String begin = new String(text, 0, Math.min(text.length, LONGEST_METHOD), StandardCharsets.ISO_8859_1);
        return HTTP.matcher(begin).find();
    }
}
