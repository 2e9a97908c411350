// SPDX-License-Identifier: Apache-2.0

package io.godwit.peer;

import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.json.JsonSyntaxException;
import io.godwit.net.Address;
import io.godwit.qmp.ArgumentType;
import io.godwit.qmp.CommandTable;
import io.godwit.qmp.QmpError;
import io.godwit.qmp.QmpServer;
import io.godwit.qmp.QmpVersion;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Says over QMP what a test has put into its mouth. */
final class FakeQemu implements AutoCloseable {
    final List<String> commands = new CopyOnWriteArrayList<>();
    private final QmpVersion version;
    private final String machine;
    private Address address;
    private QmpServer server;
    private volatile JsonObject migrate = Json.object();
    private volatile JsonObject status = Json.object();
    private final AtomicInteger cleanUps = new AtomicInteger();
    private final AtomicInteger refusals = new AtomicInteger();
    private volatile CountDownLatch mayAnswer = new CountDownLatch(0);

    FakeQemu(Address address, QmpVersion version) throws IOException {
        this(address, version, "pc-i440fx-7.2");
    }

    FakeQemu(Address address, QmpVersion version, String machine) throws IOException {
        this.version = version;
        this.machine = machine;
        this.server = QmpServer.listen(address, table());
        this.address = server.address();
        says("none", "running", true);
    }

    Address address() {
        return address;
    }

    /** From here on. A status of "none" is no status member at all, as QEMU does it. */
    FakeQemu says(String migration, String runState, boolean running) {
        status = JsonObject.builder()
                .put("status", runState)
                .put("running", running)
                .build();
        migrate = migration.equals("none")
                ? Json.object()
                : JsonObject.builder().put("status", migration).build();
        return this;
    }

    /** Is at work on its last migration still, whatever its status, for so many questions. */
    FakeQemu isNotDoneFor(int questions) {
        cleanUps.set(questions);
        return this;
    }

    FakeQemu listens(int port) {
        JsonObject inet = JsonObject.builder()
                .put("type", "inet")
                .put("host", "127.0.0.1")
                .put("port", Integer.toString(port))
                .build();
        migrate = JsonObject.builder()
                .putAll(migrate)
                .put("socket-address", new JsonArray(List.of(inet)))
                .build();
        return this;
    }

    /** What query-migrate answers, word by word. */
    FakeQemu answers(String json) throws JsonSyntaxException {
        migrate = (JsonObject) Json.parse(json);
        return this;
    }

    void happens(String event, String member, String value) {
        server.broadcast(event, JsonObject.builder().put(member, value).build());
    }

    void fallsSilent() {
        mayAnswer = new CountDownLatch(1);
    }

    /** Ends as a process that is killed. */
    void ends() {
        server.close();
        mayAnswer.countDown();
    }

    /** Breaks the connections and goes on. */
    void losesItsClients() throws IOException {
        server.close();
        server = QmpServer.listen(address, table());
    }

    private CommandTable table() {
        return CommandTable.builder(version)
                .command("qom-get")
                .takes("path", ArgumentType.STRING)
                .takes("property", ArgumentType.STRING)
                .runs(_ -> Json.of(machine + "-machine"))
                .command("query-memory-size-summary")
                .runs(_ -> JsonObject.builder()
                        .put("base-memory", 16 << 20)
                        .put("plugged-memory", 1 << 20)
                        .build())
                .command("query-uuid")
                .runs(_ ->
                        JsonObject.builder().put("UUID", PeerIdentity.NO_UUID).build())
                .command("query-migrate")
                .runs(_ -> {
                    awaitLeave();
                    return migrate;
                })
                .command("query-status")
                .runs(_ -> status)
                .command("query-yank")
                .runs(_ -> yankable())
                .command("query-migrate-capabilities")
                .runs(_ -> Json.array())
                .command("query-migrate-parameters")
                .runs(_ -> Json.object())
                .command("migrate")
                .takes("uri", ArgumentType.STRING)
                .mayTake("resume", ArgumentType.BOOLEAN)
                .runs(arguments -> heard("migrate " + arguments.string("uri")))
                .command("migrate-incoming")
                .takes("uri", ArgumentType.STRING)
                .mayTake("exit-on-error", ArgumentType.BOOLEAN)
                .runs(arguments -> heard("migrate-incoming " + arguments))
                .command("migrate-recover")
                .oob()
                .takes("uri", ArgumentType.STRING)
                .runs(arguments -> recovers("migrate-recover " + arguments.string("uri")))
                .command("migrate_cancel")
                .runs(_ -> heard("migrate_cancel"))
                .command("cont")
                .runs(_ -> heard("cont"))
                .build();
    }

    private Json yankable() {
        commands.add("query-yank");
        JsonObject monitor =
                JsonObject.builder().put("type", "chardev").put("id", "mon").build();
        JsonObject migration = JsonObject.builder().put("type", "migration").build();
        return new JsonArray(cleanUps.getAndDecrement() > 0 ? List.of(monitor, migration) : List.of(monitor));
    }

    /** Refuses to recover so many times. */
    FakeQemu refusesRecoveries(int times) {
        refusals.set(times);
        return this;
    }

    private Json recovers(String command) throws QmpError {
        heard(command);
        if (refusals.getAndDecrement() > 0) {
            throw QmpError.generic("not yet");
        }
        return Json.object();
    }

    private Json heard(String command) {
        commands.add(command);
        return Json.object();
    }

    private void awaitLeave() {
        try {
            if (!mayAnswer.await(50, TimeUnit.SECONDS)) {
                throw new AssertionError("nobody let it answer");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        mayAnswer.countDown();
        server.close();
    }
}
