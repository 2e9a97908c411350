// SPDX-License-Identifier: Apache-2.0

package io.godwit.qemu;

import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** A certificate authority of a test, which fills folders as {@code tls-creds-x509} wants them. */
public final class Authority {
    private final String name;
    private final KeyPair keys = pair("RSA");
    private final X509Certificate own;
    private final List<BigInteger> revoked = new ArrayList<>();
    private long serial = 1;

    /** A key and a certificate for it. */
    public record Issued(KeyPair keys, X509Certificate certificate) {}

    public Authority(String name) {
        this.name = name;
        this.own = certificate(name, keys, null, List.of(), days(-1), days(30));
    }

    /** All that two ends on this host need: the CA's certificate, a server's for localhost and 127.0.0.1, and a client's. */
    public Path folder(Path dir) throws IOException {
        Files.createDirectories(dir);
        authority(dir);
        server(dir, issue("localhost", KeyPurposeId.id_kp_serverAuth, "localhost", "127.0.0.1"));
        client(dir, issue("client", KeyPurposeId.id_kp_clientAuth));
        return dir;
    }

    public void authority(Path dir) throws IOException {
        pem(dir.resolve("ca-cert.pem"), own);
    }

    public void server(Path dir, Issued issued) throws IOException {
        pem(dir.resolve("server-cert.pem"), issued.certificate());
        key(dir.resolve("server-key.pem"), issued.keys());
    }

    public void client(Path dir, Issued issued) throws IOException {
        pem(dir.resolve("client-cert.pem"), issued.certificate());
        key(dir.resolve("client-key.pem"), issued.keys());
    }

    public Issued issue(String subject, KeyPurposeId purpose, String... names) {
        return issue("RSA", subject, purpose, days(-1), days(30), names);
    }

    /** @param algorithm RSA or EC */
    public Issued issue(
            String algorithm, String subject, KeyPurposeId purpose, Instant from, Instant until, String... names) {
        KeyPair pair = pair(algorithm);
        return new Issued(pair, certificate(subject, pair, purpose, List.of(names), from, until));
    }

    /** From now on the list says so. */
    public void revoke(Issued issued) {
        revoked.add(issued.certificate().getSerialNumber());
    }

    /** Writes ca-crl.pem. */
    public void revocations(Path dir) throws IOException {
        try {
            X509v2CRLBuilder list = new JcaX509v2CRLBuilder(own, Date.from(days(-1)));
            list.setNextUpdate(Date.from(days(30)));
            revoked.forEach(number -> list.addCRLEntry(number, Date.from(days(-1)), CRLReason.keyCompromise));
            pem(dir.resolve("ca-crl.pem"), list.build(signer()));
        } catch (OperatorCreationException e) {
            throw new AssertionError(e);
        }
    }

    public static Instant days(int fromNow) {
        return Instant.now().plus(fromNow, ChronoUnit.DAYS);
    }

    private X509Certificate certificate(
            String subject,
            KeyPair pair,
            @Nullable KeyPurposeId purpose,
            List<String> names,
            Instant from,
            Instant until) {
        try {
            X500Name issuer = new X500Name("CN=" + name);
            var builder = new JcaX509v3CertificateBuilder(
                    issuer,
                    BigInteger.valueOf(serial++),
                    Date.from(from),
                    Date.from(until),
                    new X500Name("CN=" + subject),
                    pair.getPublic());
            var ids = new JcaX509ExtensionUtils();
            builder.addExtension(
                    Extension.subjectKeyIdentifier, false, ids.createSubjectKeyIdentifier(pair.getPublic()));
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(purpose == null));
            int usage = purpose == null
                    ? KeyUsage.keyCertSign | KeyUsage.cRLSign
                    : KeyUsage.digitalSignature
                            | (pair.getPublic().getAlgorithm().equals("RSA") ? KeyUsage.keyEncipherment : 0);
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
            if (purpose != null) {
                builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purpose));
            }
            if (!names.isEmpty()) {
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        false,
                        new GeneralNames(names.stream().map(Authority::named).toArray(GeneralName[]::new)));
            }
            return new JcaX509CertificateConverter().getCertificate(builder.build(signer()));
        } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
            throw new AssertionError(e);
        }
    }

    private static GeneralName named(String name) {
        return new GeneralName(Character.isDigit(name.charAt(0)) ? GeneralName.iPAddress : GeneralName.dNSName, name);
    }

    private ContentSigner signer() throws OperatorCreationException {
        return new JcaContentSignerBuilder("SHA256withRSA").build(keys.getPrivate());
    }

    private static KeyPair pair(String algorithm) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            generator.initialize(algorithm.equals("RSA") ? 2048 : 256);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** PKCS#8, as today's tools write. */
    public static void key(Path file, KeyPair pair) throws IOException {
        pem(file, new JcaPKCS8Generator(pair.getPrivate(), null));
    }

    /** PKCS#1 or SEC 1, as older tools write. */
    public static void oldKey(Path file, KeyPair pair) throws IOException {
        pem(file, pair.getPrivate());
    }

    private static void pem(Path file, Object what) throws IOException {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(what);
        }
        Files.writeString(file, text.toString());
    }
}
