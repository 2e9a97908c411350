// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CRLException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.security.auth.x500.X500Principal;

/** Reads the PEM files of a {@link TlsCredentials} folder. Blocks on the disk; every failure is a sentence that names the file. */
final class PemFiles {
    /** No honest file of these is longer. */
    private static final long MOST_BYTES = 4 << 20;

    private static final Pattern KEY =
            Pattern.compile("-----BEGIN ([A-Z ]*)PRIVATE KEY-----([^-]*)-----END ([A-Z ]*)PRIVATE KEY-----");

    private static final int SEQUENCE = 0x30;
    private static final int OCTETS = 0x04;
    private static final byte[] VERSION_0 = {0x02, 0x01, 0x00};

    private PemFiles() {}

    /** All certificates of a file, at least one. */
    static List<X509Certificate> certificates(Path file) throws IOException {
        byte[] bytes = bytes(file);
        try {
            List<X509Certificate> found = x509().generateCertificates(new ByteArrayInputStream(bytes)).stream()
                    .map(X509Certificate.class::cast)
                    .toList();
            if (found.isEmpty()) {
                throw new IOException(file + " holds no certificate: it should be in PEM form");
            }
            return found;
        } catch (CertificateException e) {
            throw new IOException(file + " cannot be read as PEM certificates: " + e.getMessage(), e);
        }
    }

    static List<X509CRL> revocations(Path file) throws IOException {
        byte[] bytes = bytes(file);
        try {
            List<X509CRL> found = x509().generateCRLs(new ByteArrayInputStream(bytes)).stream()
                    .map(X509CRL.class::cast)
                    .toList();
            if (found.isEmpty()) {
                throw new IOException(file + " holds no revocation list: it should be in PEM form");
            }
            return found;
        } catch (CertificateException | CRLException e) {
            throw new IOException(file + " cannot be read as PEM revocation lists: " + e.getMessage(), e);
        }
    }

    private static CertificateFactory x509() throws CertificateException {
        return CertificateFactory.getInstance("X.509");
    }

    /**
     * The private key that goes with a certificate's: PKCS#8, or the older forms of RSA and EC keys (PKCS#1, SEC 1), which certtool and old openssl write.
     *
     * @param subject whose, for the message
     */
    static PrivateKey key(Path file, PublicKey goesWith, X500Principal subject) throws IOException {
        Matcher found = KEY.matcher(new String(bytes(file), StandardCharsets.ISO_8859_1));
        if (!found.find()) {
            throw new IOException(file + " holds no private key in PEM form");
        }
        String form = found.group(1);
        String body = found.group(2);
        if (form.startsWith("ENCRYPTED") || body.contains("ENCRYPTED")) {
            throw new IOException(file + " is encrypted, which is not read here: decrypt it with 'openssl pkcs8 -in "
                    + file.getFileName() + " -out NEW', and keep the new file to its owner (mode 0600)");
        }
        String algorithm = goesWith.getAlgorithm();
        try {
            byte[] der = Base64.getMimeDecoder().decode(body);
            byte[] pkcs8 = form.isEmpty() ? der : asPkcs8(der, goesWith);
            return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException(
                    file + " cannot be read as the " + algorithm + " key of " + subject
                            + ": either it belongs to another certificate, or it is damaged",
                    e);
        }
    }

    /**
     * RFC 5208's wrapping, {@code SEQUENCE { version 0, algorithm, OCTET STRING { key } }}. Which algorithm (and which curve) the certificate says in the same form.
     */
    private static byte[] asPkcs8(byte[] key, PublicKey goesWith) {
        byte[] info = goesWith.getEncoded(); // SEQUENCE { algorithm, BIT STRING }
        int at = header(info, 0);
        int end = header(info, at) + length(info, at);
        byte[] algorithm = new byte[end - at];
        System.arraycopy(info, at, algorithm, 0, algorithm.length);
        return tagged(SEQUENCE, VERSION_0, algorithm, tagged(OCTETS, key));
    }

    /** Where the contents begin of what begins at {@code at}. */
    private static int header(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
    }

    private static int length(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        if (first < 0x80) {
            return first;
        }
        int length = 0;
        for (int i = 0; i < (first & 0x7f); i++) {
            length = (length << 8) | (der[at + 2 + i] & 0xff);
        }
        return length;
    }

    private static byte[] tagged(int tag, byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        byte[] der = new byte[4 + length];
        der[0] = (byte) tag;
        der[1] = (byte)
                0x82; // two bytes of length: keys are no longer than 64 KiB, and these decoders take more bytes than
        // needed
        der[2] = (byte) (length >>> 8);
        der[3] = (byte) length;
        int at = 4;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, der, at, part.length);
            at += part.length;
        }
        return der;
    }

    private static byte[] bytes(Path file) throws IOException {
        try {
            if (Files.size(file) > MOST_BYTES) {
                throw new IOException(file + " is far too long for a PEM file");
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new IOException("there is no file " + file, e);
        } catch (AccessDeniedException e) {
            throw new IOException(file + " cannot be read: permission denied", e);
        }
    }
}
