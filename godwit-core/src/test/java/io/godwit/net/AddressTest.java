// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.net.Address.Tcp;
import io.godwit.net.Address.Unix;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressTest {

    @ParameterizedTest
    @CsvSource({
        "tcp:localhost:4444, localhost, 4444",
        "tcp:127.0.0.1:0, 127.0.0.1, 0",
        "tcp:[::1]:65535, ::1, 65535",
        "tcp::10000, '', 10000",
        "tcp:a-b.example.org:1, a-b.example.org, 1"
    })
    void aTcpAddressIsAHostAndAPort(String uri, String host, int port) {
        assertThat(Address.parse(uri)).isEqualTo(new Tcp(host, port)).hasToString(uri);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"unix:/tmp/src.sock", "unix:relative", "unix:/with space/and,comma", "unix:/a:b", "unix:/x,y/z"})
    void aUnixAddressIsAPathAndNothingElse(String uri) {
        assertThat(Address.parse(uri))
                .isEqualTo(new Unix(Path.of(uri.substring(5))))
                .hasToString(uri);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "localhost | names no transport",
                "\"\" | names no transport",
                "sctp:a:1 | unknown transport 'sctp'",
                "TCP:a:1 | unknown transport 'TCP'",
                "/tmp/src.sock | names no transport",
                "tcp:localhost | the port is missing",
                "tcp:localhost: | '' is no port",
                "tcp:localhost:http | 'http' is no port",
                "tcp:localhost:-1 | '-1' is no port",
                "tcp:localhost:+1 | '+1' is no port",
                "tcp:localhost:٣ | is no port",
                "tcp:localhost:65536 | port 65536 is out of range",
                "tcp:localhost:99999999999 | is no port",
                "tcp:localhost:4444,ipv4=on | 'ipv4=on' after the port is not understood",
                "tcp:::1:4444 | stands in brackets",
                "tcp:[::1:4444 | stands in brackets",
                "tcp:[]:4444 | is no host name",
                "tcp:a b:4444 | 'a b' is no host name",
                "unix: | needs a path",
                "unix:/tmp/s,server=on | 'server=on' is an option",
                "unix:/tmp/s,server=on,wait=off | is an option",
                "unix:/tmp/s,nowait | 'nowait' is an option",
                "vsock:3:4444 | vsock is not spoken yet: use tcp:HOST:PORT, unix:PATH, exec:COMMAND, file:PATH or fd:NUMBER",
                "fd:7 | a migration can go there, but here a socket is wanted: use tcp:HOST:PORT or unix:PATH",
                "exec:cat | but here a socket is wanted",
                "file:/tmp/x | but here a socket is wanted",
                "fd: | '' is no number",
                "fd:-1 | '-1' is no number",
                "fd:migration | a name is known only to the QMP connection that gave it",
                "fd:2 | the descriptor 2 cannot be used",
                "exec: | a command is missing",
                "\"exec:  \" | a command is missing",
                "file: | needs a path",
                "file:,offset=1 | needs a path",
                "file:/tmp/x,offset= | '' is no offset",
                "file:/tmp/x,offset=1G | '1G' is no offset",
                "file:/tmp/x,offset=-1 | the offset -1 is negative",
                "rdma:host:1 | rdma is not spoken yet"
            })
    void whatIsWrongIsNamed(String uri, String why) {
        assertThatThrownBy(() -> Address.parse(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("address '" + uri + "': ")
                .hasMessageContaining(why)
                .message()
                .hasLineCount(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tcp:host:1",
                "unix:/tmp/s",
                "exec:cat > /tmp/a,b:c",
                "file:/tmp/x",
                "file:/tmp/a,b=c,offset=4096",
                "fd:0",
                "fd:17"
            })
    void aPlaceForAMigrationIsItsText(String uri) {
        MigrationAddress place = MigrationAddress.parse(uri);

        assertThat(place).hasToString(uri);
        assertThat(MigrationAddress.parse(place.toString())).isEqualTo(place);
    }

    @Test
    void whatQemuUnderstandsOfACommandAndAnOffsetIsUnderstood() {
        assertThat(MigrationAddress.parse("exec:cat > 'a b'"))
                .isEqualTo(new MigrationAddress.Exec(List.of("/bin/sh", "-c", "cat > 'a b'")));
        assertThat(MigrationAddress.parse("file:/tmp/x,offset=0x1000"))
                .isEqualTo(new MigrationAddress.FileRange(Path.of("/tmp/x"), 4096));
        assertThat(new MigrationAddress.Exec(List.of("nc", "host", "1"))).hasToString("exec:nc host 1");
        assertThatThrownBy(() -> new MigrationAddress.Exec(List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a command is missing");
    }

    @Test
    void aSocketPathIsMeasuredInBytes() {
        String longest = "/" + "x".repeat(Address.MAX_UNIX_PATH - 1);
        assertThat(Address.parse("unix:" + longest)).isEqualTo(new Unix(Path.of(longest)));

        assertThatThrownBy(() -> Address.parse("unix:" + longest + "x"))
                .hasMessageContaining("has 107 bytes, the system allows 106");
        assertThatThrownBy(() -> Address.parse("unix:/" + "ü".repeat(54))).hasMessageContaining("has 109 bytes");
        assertThatThrownBy(() -> Address.parse("unix:/a\0b")).hasMessageContaining("not valid");
    }

    @Test
    void anAddressFromPartsIsHeldToTheSameLimits() {
        assertThatThrownBy(() -> new Tcp("host", 70_000)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Tcp("[::1]", 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Unix(Path.of(""))).isInstanceOf(IllegalArgumentException.class);
    }
}
