// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

/**
 * The parameters of the same names ({@code spec/qmp.md §6}).
 *
 * @param creds the id of the credentials ({@code tls-creds}); empty: no TLS
 * @param hostname whom the destination's certificate has to name ({@code tls-hostname}); empty: the host that is connected to
 */
public record TlsParameters(String creds, String hostname) {
    public static final TlsParameters OFF = new TlsParameters("", "");

    public boolean on() {
        return !creds.isEmpty();
    }

    public TlsParameters withCreds(String id) {
        return new TlsParameters(id, hostname);
    }

    public TlsParameters withHostname(String name) {
        return new TlsParameters(creds, name);
    }
}
