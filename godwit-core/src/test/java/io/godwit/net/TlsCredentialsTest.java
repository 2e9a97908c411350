// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.net.TlsCredentials.Role;
import io.godwit.qemu.Authority;
import io.godwit.qemu.Authority.Issued;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TlsCredentialsTest {
    private static final Authority CA = new Authority("test CA");

    @TempDir
    Path dir;

    @BeforeEach
    void fill() throws IOException {
        CA.folder(dir);
    }

    private TlsCredentials load(Role role) throws IOException {
        return TlsCredentials.load(dir, role, true);
    }

    @Test
    void readsAWholeFolder() throws IOException {
        assertThat(load(Role.SERVER).role()).isEqualTo(Role.SERVER);
        assertThat(load(Role.CLIENT).verifyPeer()).isTrue();
        CA.revocations(dir);
        load(Role.SERVER);
    }

    @Test
    void aClientNeedsNoCertificateOfItsOwn() throws IOException {
        Files.delete(dir.resolve("client-cert.pem"));
        Files.delete(dir.resolve("client-key.pem"));
        load(Role.CLIENT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"RSA", "EC"})
    void readsTheOlderFormsOfKeys(String algorithm) throws IOException {
        Issued issued =
                CA.issue(algorithm, "localhost", KeyPurposeId.id_kp_serverAuth, Authority.days(-1), Authority.days(1));
        CA.server(dir, issued);
        load(Role.SERVER);
        Authority.oldKey(dir.resolve("server-key.pem"), issued.keys());
        assertThat(dir.resolve("server-key.pem")).content().contains("BEGIN " + algorithm + " PRIVATE KEY");
        load(Role.SERVER);
        // certtool writes what it has found out about a key in front of it.
        Files.writeString(
                dir.resolve("server-key.pem"),
                "Public Key Info:\n\tPublic Key Algorithm: x\n\n" + Files.readString(dir.resolve("server-key.pem")));
        load(Role.SERVER);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ca-cert.pem", "server-cert.pem", "server-key.pem"})
    void saysWhichFileIsMissing(String file) throws IOException {
        Files.delete(dir.resolve(file));
        assertThatThrownBy(() -> load(Role.SERVER))
                .isInstanceOf(IOException.class)
                .hasMessage("there is no file " + dir.resolve(file));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ca-cert.pem", "server-cert.pem", "server-key.pem", "ca-crl.pem"})
    void saysWhichFileIsDamaged(String file) throws IOException {
        Files.writeString(dir.resolve(file), "hello");
        assertThatThrownBy(() -> load(Role.SERVER))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(dir.resolve(file).toString());
    }

    @Test
    void refusesAKeyOfAnotherCertificate() throws IOException {
        Authority.key(
                dir.resolve("server-key.pem"),
                CA.issue("other", KeyPurposeId.id_kp_serverAuth).keys());
        assertThatThrownBy(() -> load(Role.SERVER))
                .hasMessage("the key in " + dir.resolve("server-key.pem") + " is not the one of the certificate in "
                        + dir.resolve("server-cert.pem"));
    }

    @Test
    void refusesAKeyOfAnotherKind() throws IOException {
        Authority.oldKey(
                dir.resolve("server-key.pem"),
                CA.issue("EC", "o", KeyPurposeId.id_kp_serverAuth, Authority.days(-1), Authority.days(1))
                        .keys());
        assertThatThrownBy(() -> load(Role.SERVER))
                .hasMessageContaining("server-key.pem cannot be read as the RSA key of CN=localhost");
    }

    @Test
    void refusesAnEncryptedKey() throws IOException {
        Path key = dir.resolve("server-key.pem");
        Files.writeString(key, Files.readString(key).replace(" PRIVATE", " ENCRYPTED PRIVATE"));
        assertThatThrownBy(() -> load(Role.SERVER))
                .hasMessageContaining("is encrypted")
                .hasMessageContaining("openssl");
    }

    @Test
    void refusesWhatHasExpiredOrIsNotValidYet() throws IOException {
        CA.server(dir, CA.issue("RSA", "s", KeyPurposeId.id_kp_serverAuth, Authority.days(-9), Authority.days(-8)));
        assertThatThrownBy(() -> load(Role.SERVER))
                .hasMessageContaining("the certificate in " + dir.resolve("server-cert.pem") + " has expired on ");
        CA.server(dir, CA.issue("RSA", "s", KeyPurposeId.id_kp_serverAuth, Authority.days(8), Authority.days(9)));
        assertThatThrownBy(() -> load(Role.SERVER)).hasMessageContaining("is not valid before ");
    }

    @Test
    void refusesAFolderThatIsNotThere() {
        assertThatThrownBy(() -> TlsCredentials.load(dir.resolve("no"), Role.SERVER, true))
                .hasMessage("there is no folder " + dir.resolve("no"));
    }
}
