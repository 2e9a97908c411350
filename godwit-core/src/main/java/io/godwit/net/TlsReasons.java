// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import java.io.EOFException;
import java.io.IOException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** What JSSE's words for a failed session mean to an operator. */
final class TlsReasons {
    private static final Pattern ALERT = Pattern.compile("Received fatal alert: (\\w+)");
    private static final Pattern NAME = Pattern.compile("^No (name|subject alternative)", Pattern.CASE_INSENSITIVE);
    private static final int DEEPEST = 8;

    private TlsReasons() {}

    /** The reason as a part of a sentence. */
    static String of(IOException failed) {
        if (!(failed instanceof SSLException)) {
            return Reasons.of(failed);
        }
        String words = String.valueOf(failed.getMessage());
        Matcher alert = ALERT.matcher(words);
        if (alert.find()) {
            return "the peer has ended the TLS session with '" + alert.group(1) + "'" + meaning(alert.group(1));
        }
        String certificate = aboutCertificate(failed);
        if (certificate != null) {
            return certificate;
        }
        if (words.contains("Empty client certificate chain")) {
            return "it shows no certificate, and verify-peer is on: it needs client-cert.pem and client-key.pem";
        }
        if (words.contains("Unsupported or unrecognized SSL message")) {
            return "it speaks no TLS";
        }
        return "TLS failed: " + words;
    }

    /** Whether the peer's end of the connection is all that is known. */
    static boolean isLoss(IOException failed) {
        @Nullable Throwable cause = failed;
        for (int depth = 0; cause != null && depth < DEEPEST; depth++, cause = cause.getCause()) {
            String words = String.valueOf(cause.getMessage());
            if (cause instanceof EOFException || words.contains("Broken pipe") || words.contains("Connection reset")) {
                return true;
            }
        }
        return false;
    }

    private static @Nullable String aboutCertificate(Throwable failed) {
        @Nullable Throwable cause = failed;
        for (int depth = 0; cause != null && depth < DEEPEST; depth++, cause = cause.getCause()) {
            String found = switch (cause) {
                case CertificateExpiredException _ -> "its certificate has expired";
                case CertificateNotYetValidException _ -> "its certificate is not valid yet";
                case CertPathValidatorException path
                when path.getReason() == BasicReason.REVOKED -> "its certificate was revoked (ca-crl.pem)";
                case CertPathValidatorException path
                when path.getReason() == BasicReason.UNDETERMINED_REVOCATION_STATUS ->
                    "ca-crl.pem has no current list of its certificate's issuer";
                case CertificateException named
                when NAME.matcher(String.valueOf(named.getMessage())).find() ->
                    "its certificate is for another host (" + named.getMessage()
                            + "): tls-hostname says which one is expected";
                default ->
                    String.valueOf(cause.getMessage()).contains("unable to find valid certification path")
                            ? "its certificate was not issued by the CA in ca-cert.pem"
                            : null;
            };
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    private static String meaning(String alert) {
        return switch (alert) {
            case "bad_certificate", "certificate_unknown", "unknown_ca", "certificate_required" ->
                ": it does not accept this side's certificate";
            case "certificate_expired" -> ": this side's certificate has expired";
            case "certificate_revoked" -> ": this side's certificate was revoked";
            case "protocol_version", "handshake_failure", "insufficient_security" ->
                ": the two have no version or cipher of TLS in common";
            default -> "";
        };
    }
}
