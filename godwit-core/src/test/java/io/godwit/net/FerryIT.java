// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.net.Loop.Told.Broken;
import io.godwit.net.Loop.Told.ConnectFailed;
import io.godwit.net.Loop.Told.Connected;
import io.godwit.net.Loop.Told.Ended;
import io.godwit.sys.Descriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands and files as a loop's connections. */
@Timeout(60)
class FerryIT {
    @TempDir
    Path folder;

    @AutoClose
    private final Loop loop = new Loop();

    private Connection to(String uri) {
        Connection connection = loop.reactor.connect(MigrationAddress.parse(uri));
        loop.await(Connected.class, c -> c.connection() == connection);
        return connection;
    }

    private Connection from(String uri) {
        Connection connection = loop.reactor.receive((MigrationAddress.Local) MigrationAddress.parse(uri));
        loop.await(Connected.class, c -> c.connection() == connection);
        return connection;
    }

    private String whyNot(MigrationAddress.Local place, boolean out) {
        Connection connection = out ? loop.reactor.connect(place) : loop.reactor.receive(place);
        return loop.await(ConnectFailed.class, c -> c.connection() == connection)
                .reason();
    }

    @Test
    void aCommandTakesAllAndItsEndIsHeard() throws IOException {
        Path file = folder.resolve("taken");
        Connection command = to("exec:cat > '" + file + "'; echo done");

        loop.say(command, "some words");
        command.shutdownOutput();
        loop.await(Ended.class);

        assertThat(command.confirms()).isTrue();
        assertThat(file).hasContent("some words");
        assertThat(loop.heard(command)).isEqualTo("done\n");
        assertThat(loop.told).isEmpty();
    }

    @Test
    void aCommandGivesAllAndThenTheStreamEnds() {
        Connection command = from("exec:head -c 3000000 /dev/zero");

        loop.await(Ended.class);

        assertThat(loop.bytesRead).isEqualTo(3_000_000);
        command.close();
    }

    @Test
    void aFileWhoseNameCannotBeMadeSureOfIsNotWritten() throws IOException {
        Path inner = Files.createDirectory(folder.resolve("inner"));
        Path path = inner.resolve("f");
        Connection file = to("file:" + path);
        loop.say(file, "some words");
        Files.delete(path);
        Files.delete(inner);
        file.shutdownOutput();

        assertThat(loop.await(Broken.class).reason()).startsWith("file:" + path).contains("cannot open " + inner);
        assertThat(loop.told).noneMatch(Ended.class::isInstance);
    }

    @Test
    void aCommandCarriesBothDirections() {
        Connection echo = to("exec:cat");
        loop.say(echo, "there and back");
        loop.hear(echo, "there and back");

        Connection reverse = from("exec:cat");
        loop.say(reverse, "and back again");
        loop.hear(reverse, "and back again");
    }

    @ParameterizedTest
    @ValueSource(strings = {"exec:cat > /dev/null; exit 3", "exec:exit 3", "exec:cat > /dev/null; kill -9 $$"})
    void aCommandThatEndsBadlyIsALostConnection(String uri) {
        Connection command = to(uri);
        command.shutdownOutput();

        Broken broken = loop.await(Broken.class);

        assertThat(broken.connection()).isSameAs(command);
        assertThat(broken.reason())
                .startsWith(uri)
                .contains(uri.contains("kill") ? "was ended by signal 9" : "ended with exit code 3");
        assertThat(loop.told).noneMatch(Ended.class::isInstance);
    }

    @Test
    void whatABadCommandSaidIsHeardBeforeItsEnd() {
        Connection command = from("exec:echo half; exit 4");

        assertThat(loop.await(Broken.class).reason()).endsWith("ended with exit code 4");

        assertThat(loop.heard(command)).isEqualTo("half\n");
    }

    @Test
    void aCommandThatEndsWellBeforeItHadEverythingIsALostConnection() {
        Connection command = to("exec:true");

        assertThat(loop.await(Broken.class).reason()).contains("exit code 0 before it had taken everything");
        assertThat(command.isOpen()).isFalse();
    }

    @Test
    void aCommandThatIsNotThereIsNamed() {
        to("exec:no-such-program-here");
        assertThat(loop.await(Broken.class).reason())
                .startsWith("exec:no-such-program-here: ")
                .contains("there is no such program");

        assertThat(whyNot(new MigrationAddress.Exec(List.of("/no/such/program", "x")), true))
                .isEqualTo("cannot use exec:/no/such/program x: cannot start /no/such/program: "
                        + "No such file or directory (posix_spawnp, errno 2)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "trap '' TERM; "})
    void anAbortNeedsNothingOfACommandThatDoesNotReadAndEndsIt(String deaf) throws Exception {
        Path pidFile = folder.resolve("pid");
        Connection command = to("exec:" + deaf + "echo $$ > '" + pidFile + ".new'; mv '" + pidFile + ".new' '" + pidFile
                + "'; while :; do sleep 1; done");
        loop.until("the command runs", () -> Files.exists(pidFile));
        ProcessHandle process = ProcessHandle.of(
                        Long.parseLong(Files.readString(pidFile).strip()))
                .orElseThrow();
        fill(command);

        long before = System.nanoTime();
        command.abort("enough");
        assertThat(loop.await(Broken.class).reason()).isEqualTo("enough");
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(1));

        process.onExit().get(30, TimeUnit.SECONDS);
        assertThat(Duration.ofNanos(System.nanoTime() - before))
                .as("it was asked first, and had its time")
                .isGreaterThan(Duration.ofNanos((deaf.isEmpty() ? 1 : 2) * Ferry.GRACE_NANOS));
        loop.until("no zombie is left", () -> !Files.exists(Path.of("/proc/" + process.pid())));
    }

    @Test
    void anAbortWhileACommandWritesWithoutEndEndsIt() throws Exception {
        Path pidFile = folder.resolve("pid");
        Connection command = from("exec:echo $$ > '" + pidFile + "'; exec yes");
        loop.until("it says something", () -> loop.bytesRead > 1_000_000);
        long pid = Long.parseLong(Files.readString(pidFile).strip());

        command.abort("enough");

        loop.until("it is gone", () -> !Files.exists(Path.of("/proc/" + pid)));
    }

    @Test
    void nothingOfOursIsOpenInACommandButItsThreeStreams() {
        Connection command = from("exec:ls /proc/self/fd");
        loop.await(Ended.class);

        // The fourth is the folder that ls reads.
        assertThat(loop.heard(command)).isEqualTo("0\n1\n2\n3\n");
    }

    private static void fill(Connection connection) {
        ByteBuffer much = ByteBuffer.allocateDirect(1 << 20);
        long idle = System.nanoTime() + 300_000_000L;
        while (System.nanoTime() < idle) {
            if (connection.write(much.clear()) > 0) {
                idle = System.nanoTime() + 300_000_000L;
            }
            Thread.onSpinWait();
        }
    }

    @Test
    void aFileIsWrittenFromItsOffsetOn() throws IOException {
        Path file = folder.resolve("f");
        Files.writeString(file, "head and an old tail that is longer");
        Connection out = to("file:" + file + ",offset=4");

        loop.say(out, " and new");
        out.shutdownOutput();
        loop.await(Ended.class);

        assertThat(file).hasContent("head and new");
    }

    @Test
    void aNewFileIsItsOwnersOnly() throws IOException {
        Path file = folder.resolve("f");
        Connection out = to("file:" + file);
        out.shutdownOutput();
        loop.await(Ended.class);

        assertThat(Files.getPosixFilePermissions(file)).hasToString("[OWNER_READ, OWNER_WRITE]");
    }

    @Test
    void aFileIsReadFromItsOffsetToItsEnd() throws IOException {
        Path file = folder.resolve("f");
        Files.writeString(file, "head and tail");
        Connection in = from("file:" + file + ",offset=5");
        loop.await(Ended.class);

        assertThat(loop.heard(in)).isEqualTo("and tail");
        loop.say(in, "an answer that nobody reads");
    }

    @Test
    void whatIsNoFileIsRefused() throws IOException {
        assertThat(whyNot(new MigrationAddress.FileRange(folder.resolve("none"), 0), false))
                .contains("none", "No such file or directory");
        assertThat(whyNot(new MigrationAddress.FileRange(folder, 0), false)).contains("is no regular file", "exec:cat");
        assertThat(whyNot(new MigrationAddress.FileRange(Path.of("/dev/null"), 0), true))
                .contains("is no regular file");
        assertThat(whyNot(new MigrationAddress.Inherited(999), true)).contains("no descriptor 999");
    }

    @Test
    void aFullDiskIsTold() throws Exception {
        Quay quay = Quay.make("a test");
        FarSide full = new FarSide(null, Descriptor.openToWrite(Path.of("/dev/full")), null, true);
        var told = new CompletableFuture<String>();
        Thread thread = Thread.ofPlatform().start(() -> {
            try (Crossing crossing = new Crossing("file:x", Ferry.Way.OUT, quay.near(), full, told::complete)) {
                crossing.go();
            } catch (IOException e) {
                told.completeExceptionally(e);
            }
        });
        quay.channel().write(ByteBuffer.wrap(new byte[100]));
        assertThat(told.get(20, TimeUnit.SECONDS))
                .isEqualTo("file:x: cannot write /dev/full: No space left on device (write, errno 28)");
        quay.channel().close();
        thread.join();
    }

    @Test
    void aLoopThatClosesLeavesNoCommandBehind() throws Exception {
        Path pidFile = folder.resolve("pid");
        to("exec:echo $$ > '" + pidFile + "'; exec sleep 1000");
        loop.until("it runs", () -> pidFile.toFile().length() > 0);
        ProcessHandle process = ProcessHandle.of(
                        Long.parseLong(Files.readString(pidFile).strip()))
                .orElseThrow();

        loop.close();

        process.onExit().get(20, TimeUnit.SECONDS);
    }

    @Test
    void abortedBeforeItIsThereItNeverComes() {
        Connection connection = loop.reactor.connect(MigrationAddress.parse("exec:cat"));
        connection.abort("changed my mind");

        assertThat(loop.await(ConnectFailed.class).reason()).isEqualTo("changed my mind");
        loop.poll(100_000_000L);
        assertThat(loop.told).isEmpty();
    }
}
