// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.engine.EndpointControl.CommandRefused;
import io.godwit.engine.Lot.End;
import io.godwit.net.MigrationAddress;
import io.godwit.protocol.Capability;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Migrations by files and commands, and what becomes of the guest when those fail. */
@Timeout(60)
class OneStreamIT {
    @TempDir
    Path folder;

    private final Lot lot = new Lot();

    @AfterEach
    void everybodyOut() throws IOException {
        lot.close();
    }

    private static MigrationAddress at(String uri) {
        return MigrationAddress.parse(uri);
    }

    /** A guest's stream in a file. */
    private Path saved() throws Exception {
        Path file = folder.resolve("stream");
        End source = lot.running();
        source.endpoint().migrate(at("file:" + file), false);
        source.diary().await(MigrationStatus.COMPLETED);
        assertThat(source.endpoint().runState()).isEqualTo("postmigrate");
        return file;
    }

    private void runsFrom(String uri) throws Exception {
        End destination = lot.awaiting();
        destination.endpoint().migrateIncoming(at(uri));
        destination.diary().await(MigrationStatus.COMPLETED);
        assertThat(destination.endpoint().runState()).isEqualTo("running");
        lot.verifyLast(destination);
    }

    @Test
    void aGuestGoesIntoAFileAndRunsAgainFromIt() throws Exception {
        Path file = saved();
        runsFrom("file:" + file);
        runsFrom("exec:cat '" + file + "'");
    }

    @Test
    void aCommandTakesAGuest() throws Exception {
        Path file = folder.resolve("stream.gz");
        End source = lot.running();
        source.endpoint().migrate(at("exec:gzip -1 > '" + file + "'"), false);
        source.diary().await(MigrationStatus.COMPLETED);
        runsFrom("exec:zcat '" + file + "'");
    }

    @Test
    void commandsCarryAPostcopyAndItsRecovery() throws Exception {
        End source = lot.running(Lot.POSTCOPY);
        End destination = lot.awaiting(Lot.POSTCOPY);
        source.parameters(Pair::slow);
        Wire first = wire("first");
        destination.endpoint().migrateIncoming(at(first.destination));
        source.endpoint().migrate(at(first.source), false);
        source.diary().await(MigrationStatus.ACTIVE);
        source.endpoint().migrateStartPostcopy();
        destination.diary().await(MigrationStatus.POSTCOPY_ACTIVE);
        Pair.eventually(
                "the source knows that it has it",
                () -> source.endpoint().info().downtimeMillis() >= 0);

        source.endpoint().migratePause();
        source.diary().await(MigrationStatus.POSTCOPY_PAUSED);
        destination.diary().await(MigrationStatus.POSTCOPY_PAUSED);
        source.parameters(Pair::fast);
        Wire second = wire("second");
        destination.endpoint().migrateRecover(at(second.destination));
        source.endpoint().migrate(at(second.source), true);

        source.diary().await(MigrationStatus.COMPLETED);
        destination.diary().await(MigrationStatus.COMPLETED);
        lot.verifyLast(destination);
    }

    /** Two commands that meet at two pipes. */
    private record Wire(String source, String destination) {}

    private Wire wire(String name) throws Exception {
        String there = folder.resolve(name + ".there").toString();
        String back = folder.resolve(name + ".back").toString();
        assertThat(new ProcessBuilder("mkfifo", there, back).start().waitFor()).isZero();
        return new Wire(
                "exec:exec 3<&0; cat <&3 >" + there + " & cat <" + back,
                "exec:exec 3<&0; cat <&3 >" + back + " & cat <" + there);
    }

    @ParameterizedTest
    @CsvSource({
        "file:/no/such/x, POSTCOPY_RAM, capability postcopy-ram needs an other side that answers",
        "file:/no/such/x, RETURN_PATH, capability return-path needs an other side that answers",
        "file:/no/such/x, MULTIFD, capability multifd needs several connections",
        "exec:cat, MULTIFD, capability multifd needs several connections",
        "fd:0, MULTIFD, capability multifd needs several connections"
    })
    void whatOneStreamCannotCarryIsRefusedByName(String uri, Capability capability, String why) throws Exception {
        End source = lot.running(capability);
        assertThatThrownBy(() -> source.endpoint().migrate(at(uri), false))
                .isInstanceOf(CommandRefused.class)
                .hasMessageContaining(why)
                .hasMessageContaining(uri);
        assertThat(source.endpoint().runState()).isEqualTo("running");
    }

    @Test
    void norCanADestinationHaveItFromOne() throws Exception {
        End preempt = lot.awaiting(Capability.POSTCOPY_RAM, Capability.POSTCOPY_PREEMPT);
        assertThatThrownBy(() -> preempt.endpoint().migrateIncoming(at("exec:cat")))
                .hasMessageContaining("capability postcopy-preempt needs several connections");
        End postcopy = lot.awaiting(Capability.POSTCOPY_RAM);
        assertThatThrownBy(() -> postcopy.endpoint().migrateIncoming(at("file:/no/such/x")))
                .hasMessageContaining("capability postcopy-ram needs");
    }

    @Test
    void aCancelNeedsNothingOfACommandThatDoesNotRead() throws Exception {
        Path pid = folder.resolve("pid");
        End source = lot.running();
        source.endpoint().migrate(at("exec:echo $$ > '" + pid + "'; exec sleep 1000"), false);
        Pair.eventually("it runs", () -> pid.toFile().length() > 1);
        Pair.eventually(
                "nothing is taken any more",
                () -> source.endpoint().info().ram().transferred() > 200_000);

        long before = System.nanoTime();
        source.endpoint().migrateCancel();
        source.diary().await(MigrationStatus.CANCELLED);

        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(1));
        assertThat(source.endpoint().runState()).isEqualTo("running");
        ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
                .ifPresent(process -> assertThat(process.onExit()).succeedsWithin(20, TimeUnit.SECONDS));
        lot.verifyFirst(source);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "exec:no-such-program-here",
                "exec:cat > /dev/full",
                "file:/no/such/folder/f",
                "exec:head -c 99999",
                "exec:exec 0<&-; sleep 1"
            })
    void whereNothingCanGoTheGuestStays(String uri) throws Exception {
        End source = lot.running();
        source.endpoint().migrate(at(uri), false);
        source.diary().await(MigrationStatus.FAILED);

        assertThat(source.endpoint().info().errorDesc()).contains(uri);
        assertThat(source.endpoint().runState()).isEqualTo("running");
        lot.verifyFirst(source);
    }

    @Test
    void aCommandThatAnswersNothingThoughItShouldIsGivenUp() throws Exception {
        End source = lot.running(Lot.PRECOPY);
        source.parameters(p -> new Parameters(0, 0, p.downtimeLimitMillis(), 0, 500, 500, 50));
        source.endpoint().migrate(at("exec:cat > /dev/null"), false);
        source.diary().await(MigrationStatus.FAILED);

        assertThat(source.endpoint().info().errorDesc()).contains("left a PING unanswered");
        assertThat(source.endpoint().runState()).isEqualTo("running");
        lot.verifyFirst(source);
    }

    @Test
    void aCommandMayTakeLongerForItsEndThanAnythingMayBeSilent() throws Exception {
        End source = lot.running();
        source.parameters(p -> new Parameters(0, 0, p.downtimeLimitMillis(), 0, 300, 300, 50));
        source.endpoint().migrate(at("exec:cat > /dev/null; sleep 1"), false);
        source.diary().await(MigrationStatus.COMPLETED);
    }

    @Test
    void aCommandThatHadAllAndFailedLeavesItUncertain() throws Exception {
        End source = lot.running();
        source.endpoint().migrate(at("exec:cat > /dev/null; exit 3"), false);
        source.diary().await(MigrationStatus.UNCERTAIN);

        assertThat(source.endpoint().info().errorDesc()).contains("ended with exit code 3");
        assertThat(source.endpoint().runState()).isEqualTo("finish-migrate");
        source.endpoint().migrateResolve(EndpointControl.Owner.SOURCE);
        lot.verifyFirst(source);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "exec:no-such-program-here",
                "exec:true",
                "file:/no/such/file",
                "exec:echo no stream at all",
                "fd:998"
            })
    void whereNothingComesFromTheDestinationSaysSoAndCanBeUsedAgain(String uri) throws Exception {
        End destination = lot.awaiting();
        destination.endpoint().migrateIncoming(at(uri));
        destination.diary().await(MigrationStatus.FAILED);
        assertThat(destination.endpoint().info().errorDesc()).isNotBlank();

        Path file = saved();
        destination.endpoint().migrateIncoming(at("file:" + file));
        destination.diary().await(MigrationStatus.COMPLETED);
    }

    @Test
    void aFileThatEndsEarlyIsNoGuest() throws Exception {
        Path file = saved();
        try (FileChannel cut = FileChannel.open(file, StandardOpenOption.WRITE)) {
            cut.truncate(cut.size() / 2);
        }
        End destination = lot.awaiting();
        destination.endpoint().migrateIncoming(at("file:" + file));
        destination.diary().await(MigrationStatus.FAILED);

        assertThat(destination.endpoint().info().errorDesc()).contains("file:", "ended");
        assertThat(destination.endpoint().runState()).isNotEqualTo("running");
    }

    @Test
    void whatIsBeforeAnOffsetStays() throws Exception {
        Path file = folder.resolve("f");
        Files.writeString(file, "a header of somebody's");
        End source = lot.running();
        source.endpoint().migrate(at("file:" + file + ",offset=4096"), false);
        source.diary().await(MigrationStatus.COMPLETED);
        try (FileChannel read = FileChannel.open(file)) {
            ByteBuffer head = ByteBuffer.allocate(8);
            read.read(head, 0);
            assertThat(new String(head.array(), StandardCharsets.US_ASCII)).isEqualTo("a header");
        }
        runsFrom("file:" + file + ",offset=4096");
    }
}
