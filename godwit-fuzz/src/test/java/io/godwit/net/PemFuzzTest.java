// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.godwit.fuzz.Budget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import javax.security.auth.x500.X500Principal;

/** An operator's PEM files: whatever is in them is read, or refused with a sentence that names the file. */
class PemFuzzTest {
    private static final Path FILE = file();
    private static final PublicKey RSA = key("RSA", 2048);
    private static final PublicKey EC = key("EC", 256);
    private static final X500Principal SUBJECT = new X500Principal("CN=fuzz");

    private static Path file() {
        try {
            Path file = Files.createTempFile("godwit-fuzz", ".pem");
            file.toFile().deleteOnExit();
            return file;
        } catch (IOException e) {
            throw new AssertionError("no file can be made", e);
        }
    }

    private static PublicKey key(String algorithm, int bits) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            generator.initialize(bits);
            return generator.generateKeyPair().getPublic();
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every JDK can make a key", e);
        }
    }

    private interface Read {
        void read() throws IOException;
    }

    private static void refusedOrRead(byte[] text, Read read) {
        try {
            Files.write(FILE, text);
        } catch (IOException e) {
            throw new AssertionError("the file can be written", e);
        }
        Budget.holds(text.length, _ -> {
            try {
                read.read();
            } catch (IOException e) {
                if (!String.valueOf(e.getMessage()).contains(FILE.toString())) {
                    throw new AssertionError("a refusal that does not name the file", e);
                }
            }
        });
    }

    @FuzzTest
    void certificates(byte[] text) {
        refusedOrRead(text, () -> PemFiles.certificates(FILE));
    }

    @FuzzTest
    void revocations(byte[] text) {
        refusedOrRead(text, () -> PemFiles.revocations(FILE));
    }

    @FuzzTest
    void privateKey(byte[] text) {
        refusedOrRead(text, () -> PemFiles.key(FILE, RSA, SUBJECT));
        refusedOrRead(text, () -> PemFiles.key(FILE, EC, SUBJECT));
    }
}
