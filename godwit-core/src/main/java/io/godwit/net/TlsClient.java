// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

/**
 * How a side that connects speaks TLS.
 *
 * @param credentials of a client
 * @param hostname whom the other side's certificate has to name, a host name or a literal address; empty: it only has to be issued by the CA
 */
public record TlsClient(TlsCredentials credentials, String hostname) {
    /** @throws IllegalArgumentException with a sentence, if the credentials are a server's */
    public TlsClient {
        if (credentials.role() != TlsCredentials.Role.CLIENT) {
            throw new IllegalArgumentException("who connects needs credentials with endpoint=client");
        }
    }
}
