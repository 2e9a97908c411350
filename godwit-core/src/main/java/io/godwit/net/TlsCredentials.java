// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * A folder of x509 certificates as QEMU's {@code tls-creds-x509} has it, for one of the two sides. Immutable; used by any thread.
 *
 * <p>{@code ca-cert.pem} is needed by both sides, {@code ca-crl.pem} counts where it is there: then each certificate of a peer's chain needs a current revocation list of its issuer. A server needs
 * {@code server-cert.pem} and {@code server-key.pem}; a client has {@code client-cert.pem} and {@code client-key.pem} if servers want to know it. Keys are PKCS#8, PKCS#1 or SEC 1, not encrypted.
 */
public final class TlsCredentials {
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};
    /** For those who wait on threads of their own: before 1.3 the end of one direction is the end of both, whatever is still to be said. */
    private static final String[] HALF_CLOSED = {"TLSv1.3"};

    /** Which side: the one that connects is the client, so a migration's source is. */
    public enum Role {
        CLIENT,
        SERVER;

        /** QEMU's word. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Path dir;
    private final Role role;
    private final boolean verifyPeer;
    private final KeyManager @Nullable [] identity;
    private final TrustManager[] trust;

    private TlsCredentials(
            Path dir, Role role, boolean verifyPeer, KeyManager @Nullable [] identity, TrustManager[] trust) {
        this.dir = dir;
        this.role = role;
        this.verifyPeer = verifyPeer;
        this.identity = identity;
        this.trust = trust;
    }

    /**
     * Reads and checks the folder. Blocks on the disk.
     *
     * @param verifyPeer whether a peer's certificate has to be there and right; off, whoever comes is believed
     * @throws IOException whose message is a sentence: which file, and what is wrong with it
     */
    public static TlsCredentials load(Path dir, Role role, boolean verifyPeer) throws IOException {
        if (!Files.isDirectory(dir)) {
            throw new IOException("there is no folder " + dir);
        }
        List<X509Certificate> authorities = PemFiles.certificates(dir.resolve("ca-cert.pem"));
        Path revoked = dir.resolve("ca-crl.pem");
        List<X509CRL> revocations = Files.exists(revoked) ? PemFiles.revocations(revoked) : List.of();
        for (X509Certificate authority : authorities) {
            requireTimely(dir.resolve("ca-cert.pem"), authority);
        }
        try {
            TrustManager[] trust = verifyPeer ? trust(authorities, revocations) : new TrustManager[] {new Anybody()};
            TlsCredentials credentials = new TlsCredentials(dir, role, verifyPeer, identity(dir, role), trust);
            var _ = credentials.context();
            return credentials;
        } catch (GeneralSecurityException e) {
            throw new IOException("the certificates in " + dir + " cannot be used: " + e.getMessage(), e);
        }
    }

    public Path dir() {
        return dir;
    }

    public Role role() {
        return role;
    }

    public boolean verifyPeer() {
        return verifyPeer;
    }

    /** One for each session: a context remembers sessions, and who resumes one is not looked at again. */
    private SSLContext context() throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(identity, trust, null);
        return context;
    }

    private SSLContext fresh() {
        try {
            return context();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("it could be made when the certificates were read", e);
        }
    }

    /**
     * A new session's engine for a side that connects.
     *
     * @param host whom the other side's certificate has to name; empty: nobody, it only has to be issued by the CA
     */
    SSLEngine client(String host) {
        SSLContext context = fresh();
        SSLEngine engine = host.isEmpty() ? context.createSSLEngine() : context.createSSLEngine(host, -1);
        engine.setUseClientMode(true);
        engine.setSSLParameters(client(engine.getSSLParameters(), host, PROTOCOLS));
        return engine;
    }

    /** The same over a socket that is connected and is waited on. */
    SSLSocket client(Socket connected, String host) throws IOException {
        SSLSocket socket =
                (SSLSocket) fresh().getSocketFactory().createSocket(connected, host.isEmpty() ? null : host, -1, true);
        socket.setUseClientMode(true);
        socket.setSSLParameters(client(socket.getSSLParameters(), host, HALF_CLOSED));
        return socket;
    }

    private SSLParameters client(SSLParameters parameters, String host, String[] protocols) {
        parameters.setProtocols(protocols);
        if (verifyPeer && !host.isEmpty()) {
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
        return parameters;
    }

    /** A new session's engine for a side that is connected to. */
    SSLEngine server() {
        SSLEngine engine = fresh().createSSLEngine();
        engine.setUseClientMode(false);
        engine.setSSLParameters(server(engine.getSSLParameters(), PROTOCOLS));
        return engine;
    }

    /** The same over a socket that was accepted and is waited on. */
    SSLSocket server(Socket accepted) throws IOException {
        SSLSocket socket = (SSLSocket) fresh().getSocketFactory().createSocket(accepted, null, -1, true);
        socket.setUseClientMode(false);
        socket.setSSLParameters(server(socket.getSSLParameters(), HALF_CLOSED));
        return socket;
    }

    private SSLParameters server(SSLParameters parameters, String[] protocols) {
        parameters.setProtocols(protocols);
        parameters.setNeedClientAuth(verifyPeer);
        return parameters;
    }

    private static KeyManager @Nullable [] identity(Path dir, Role role) throws IOException, GeneralSecurityException {
        Path file = dir.resolve(role.word() + "-cert.pem");
        Path keyFile = dir.resolve(role.word() + "-key.pem");
        if (role == Role.CLIENT && !Files.exists(file) && !Files.exists(keyFile)) {
            return null; // for servers that do not want to know who comes
        }
        List<X509Certificate> chain = PemFiles.certificates(file);
        X509Certificate own = chain.getFirst();
        requireTimely(file, own);
        PrivateKey key = PemFiles.key(keyFile, own.getPublicKey(), own.getSubjectX500Principal());
        if (!fits(key, own.getPublicKey())) {
            throw new IOException("the key in " + keyFile + " is not the one of the certificate in " + file);
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        char[] none = new char[0];
        load(store);
        store.setKeyEntry(role.word(), key, none, chain.toArray(X509Certificate[]::new));
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(store, none);
        return factory.getKeyManagers();
    }

    private static void load(KeyStore empty) throws IOException, GeneralSecurityException {
        empty.load(null, null);
    }

    private static void requireTimely(Path file, X509Certificate certificate) throws IOException {
        try {
            certificate.checkValidity();
        } catch (CertificateExpiredException e) {
            throw new IOException(
                    "the certificate in " + file + " has expired on "
                            + certificate.getNotAfter().toInstant() + ": a new one is needed",
                    e);
        } catch (CertificateNotYetValidException e) {
            throw new IOException(
                    "the certificate in " + file + " is not valid before "
                            + certificate.getNotBefore().toInstant() + ": is this host's clock right?",
                    e);
        }
    }

    /** Whether what one signs the other takes. */
    private static boolean fits(PrivateKey key, PublicKey certified) throws GeneralSecurityException {
        String algorithm = switch (certified.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            default -> certified.getAlgorithm();
        };
        byte[] words = {'g', 'o', 'd', 'w', 'i', 't'};
        Signature signature = Signature.getInstance(algorithm);
        signature.initSign(key);
        signature.update(words);
        byte[] signed = signature.sign();
        signature.initVerify(certified);
        signature.update(words);
        return signature.verify(signed);
    }

    private static TrustManager[] trust(List<X509Certificate> authorities, List<X509CRL> revocations)
            throws GeneralSecurityException {
        Set<TrustAnchor> anchors = authorities.stream()
                .map(authority -> new TrustAnchor(authority, null))
                .collect(Collectors.toSet());
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, new X509CertSelector());
        parameters.setRevocationEnabled(false);
        if (!revocations.isEmpty()) {
            parameters.setRevocationEnabled(true);
            parameters.addCertStore(
                    CertStore.getInstance("Collection", new CollectionCertStoreParameters(revocations)));
            PKIXRevocationChecker checker =
                    (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX").getRevocationChecker();
            checker.setOptions(
                    EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS, PKIXRevocationChecker.Option.NO_FALLBACK));
            parameters.addCertPathChecker(checker);
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(new CertPathTrustManagerParameters(parameters));
        for (TrustManager each : factory.getTrustManagers()) {
            if (each instanceof X509ExtendedTrustManager checks) {
                return new TrustManager[] {new Unnamed(checks)};
            }
        }
        throw new GeneralSecurityException("this Java has no X.509 trust manager");
    }

    @Override
    public String toString() {
        return role.word() + " credentials in " + dir;
    }

    /**
     * Checks as another does, and names no authorities to a client, which then shows the certificate it has. QEMU 7.2, 10.0 and 11.1 show none over TLS 1.3 to a JSSE that names them, although
     * their certificate is of one of these.
     */
    private static final class Unnamed extends X509ExtendedTrustManager {
        private final X509ExtendedTrustManager checks;

        Unnamed(X509ExtendedTrustManager checks) {
            this.checks = checks;
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            checks.checkClientTrusted(chain, type, socket);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            checks.checkServerTrusted(chain, type, socket);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            checks.checkClientTrusted(chain, type, engine);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            checks.checkServerTrusted(chain, type, engine);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            checks.checkClientTrusted(chain, type);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            checks.checkServerTrusted(chain, type);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    /** With verify-peer off: whoever comes is believed, as an operator said. */
    private static final class Anybody extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
