// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.engine.MigrationInfo;
import io.godwit.engine.MigrationInfo.Role;
import io.godwit.json.Json;
import io.godwit.json.JsonFormat;
import io.godwit.json.JsonObject;
import io.godwit.net.Address;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** What real QEMUs said, and whether we read it, and would say the same. */
class QmpCapturesTest {
    /** Members that stand in a reply only sometimes, for reasons that are not the state's. */
    private static final Set<String> OCCASIONAL = Set.of("error-desc", "xbzrle-cache");

    private record Spoken(String vector, String who, boolean fromQemu, JsonObject message) {}

    private record Answer(Spoken command, Json value) {
        boolean isOf(String name) {
            return name.equals(command.message().string("execute", ""));
        }

        boolean isOf10() {
            return command.vector().startsWith("v100-");
        }
    }

    private static List<Spoken> spoken() throws Exception {
        String given = System.getProperty("godwit.vectors");
        Path root = Path.of(System.getProperty("godwit.root", "."));
        Path folder = given != null
                ? Path.of(given)
                : root.resolve("../shared/vectors").normalize();
        Assumptions.assumeTrue(
                Files.isDirectory(folder),
                "no captures at " + folder + "; say where they are with -Dgodwit.vectors=DIR");
        List<Spoken> all = new ArrayList<>();
        try (Stream<Path> files = Files.walk(folder, 2)) {
            for (Path file :
                    files.filter(f -> f.endsWith("qmp.jsonl.gz")).sorted().toList()) {
                read(file, all);
            }
        }
        assertThat(all).hasSizeGreaterThan(1000);
        return all;
    }

    private static void read(Path file, List<Spoken> all) throws Exception {
        String vector = String.valueOf(file.getName(file.getNameCount() - 2));
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                JsonObject json = (JsonObject) Json.parse(line);
                if (json.string("dir").equals("note")) {
                    continue; // of the one who captured
                }
                all.add(new Spoken(
                        vector, json.string("who"), json.string("dir").equals("in"), json.object("msg")));
            }
        } catch (IOException e) {
            throw new AssertionError(file.toString(), e);
        }
    }

    /** These scripts gave no ids and asked one thing at a time, so here order is enough. */
    private static List<Answer> answers() throws Exception {
        Map<String, Spoken> asked = new HashMap<>();
        List<Answer> answers = new ArrayList<>();
        for (Spoken said : spoken()) {
            String who = said.vector() + said.who();
            if (!said.fromQemu()) {
                asked.put(who, said);
            } else if (said.message().has("return")) {
                answers.add(new Answer(
                        Objects.requireNonNull(asked.get(who), who),
                        said.message().require("return")));
            }
        }
        return answers;
    }

    @Test
    void everyMessageIsReadAndWrittenAsItWas() throws Exception {
        for (Spoken said : spoken()) {
            assertThat(QmpMessage.parse(said.message()).toJson())
                    .as(said.vector())
                    .isEqualTo(said.message());
        }
    }

    @Test
    void aWholeSessionInOnePacketIsCutIntoItsMessages() throws Exception {
        StringBuilder stream = new StringBuilder();
        List<Json> messages = new ArrayList<>();
        for (Spoken said : spoken()) {
            messages.add(said.message());
            stream.append(said.message().toText(JsonFormat.QEMU));
        }
        QmpFramer framer = new QmpFramer(1 << 20);
        java.nio.ByteBuffer bytes = java.nio.ByteBuffer.wrap(stream.toString().getBytes(StandardCharsets.UTF_8));
        for (Json message : messages) {
            assertThat(framer.next(bytes)).isInstanceOfSatisfying(QmpFramer.Frame.Text.class, text -> {
                assertThat(new String(text.utf8(), StandardCharsets.UTF_8)).isEqualTo(message.toText(JsonFormat.QEMU));
            });
        }
        assertThat(bytes.hasRemaining()).isFalse();
    }

    @Test
    void queryMigrateHasTheMembersOfQemu10InEachState() throws Exception {
        Set<String> compared = new TreeSet<>();
        for (Answer answer : answers()) {
            if (answer.isOf("query-migrate") && answer.isOf10()) {
                JsonObject theirs = (JsonObject) answer.value();
                Role role = answer.command().who().equals("src") ? Role.SOURCE : Role.DESTINATION;
                compare(role, theirs);
                compared.add(role + " " + theirs.string("status", ""));
            }
        }
        assertThat(compared)
                .contains("SOURCE postcopy-recover", "DESTINATION postcopy-paused", "SOURCE failed", "SOURCE device");
    }

    private static void compare(Role role, JsonObject theirs) throws Exception {
        MigrationStatus status = Stream.of(MigrationStatus.values())
                .filter(one -> one.word().equals(theirs.string("status")))
                .findAny()
                .orElseThrow();
        JsonObject ours = QueryMigrate.shown(
                new MigrationInfo(
                        role,
                        status,
                        theirs.has("error-desc") ? theirs.string("error-desc") : null,
                        5,
                        6,
                        7,
                        8,
                        MigrationInfo.Ram.NONE,
                        List.of(Address.parse("tcp:127.0.0.1:28498")),
                        MigrationInfo.Requests.NONE,
                        MigrationInfo.Extra.NONE),
                false);

        assertThat(plain(ours.names())).as("%s %s", role, status).isEqualTo(plain(theirs.names()));
        assertThat(ours.has("error-desc")).isEqualTo(theirs.has("error-desc"));
        if (theirs.has("ram")) {
            assertThat(ours.object("ram").names())
                    .isEqualTo(theirs.object("ram").names());
        }
        if (theirs.has("socket-address")) {
            assertThat(ours.array("socket-address").object(0).names())
                    .isEqualTo(theirs.array("socket-address").object(0).names());
        }
    }

    private static Set<String> plain(Set<String> names) {
        return names.stream()
                .filter(name -> !OCCASIONAL.contains(name) && !name.startsWith("x-godwit-"))
                .collect(Collectors.toSet());
    }

    @Test
    void parametersAndCapabilitiesHaveTheNamesAndDefaultsOfQemu10() throws Exception {
        int compared = 0;
        for (Answer answer : answers()) {
            if (answer.isOf("query-migrate-parameters") && answer.isOf10()) {
                JsonObject.Builder ours = JsonObject.builder();
                ((JsonObject) MigrationParameters.shown(Parameters.DEFAULT))
                        .members()
                        .forEach((name, value) -> {
                            if (!name.startsWith("x-godwit-")) {
                                ours.put(name, value);
                            }
                        });
                assertThat(ours.build()).isEqualTo(answer.value());
                compared++;
            } else if (answer.isOf("query-migrate-capabilities") && answer.isOf10()) {
                assertThat(CapabilityArguments.shown(Set.of(io.godwit.protocol.Capability.EVENTS)))
                        .isEqualTo(answer.value());
                compared++;
            }
        }
        assertThat(compared).isEqualTo(2);
    }
}
