// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.net.Address;
import io.godwit.net.TlsCredentials;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * Where QMP is served, and who may come in. Who may connect may do everything, so it is a file that only its owner may open, a port that only this host reaches, one behind TLS that asks for a
 * client's certificate, or what somebody has explicitly thrown open.
 *
 * @param address where to listen
 * @param credentials of a server: clients speak TLS, and show a certificate of the CA if its {@code verify-peer} is on; null: plain bytes
 * @param open whoever reaches the address may come in
 */
public record QmpAccess(Address address, @Nullable TlsCredentials credentials, boolean open) {
    /** @throws IllegalArgumentException with a sentence, if it is a client's certificate, or the address is no network's */
    public QmpAccess {
        if (credentials != null && credentials.role() != TlsCredentials.Role.SERVER) {
            throw new IllegalArgumentException("QMP at " + address + " needs credentials with endpoint=server");
        }
        if (credentials != null && !(address instanceof Address.Tcp)) {
            throw new IllegalArgumentException(
                    "QMP speaks TLS over tcp, and " + address + " is a file that is its owner's alone");
        }
    }

    /** Plain bytes, for its owner or this host alone. */
    public static QmpAccess local(Address address) {
        return new QmpAccess(address, null, false);
    }

    /** @throws IOException with a sentence, if anybody could come in and nobody has said that he may */
    void check() throws IOException {
        boolean known = credentials != null && credentials.verifyPeer();
        if (address instanceof Address.Tcp tcp && !open && !known && !isLoopback(tcp)) {
            throw new IOException("QMP is not served on " + tcp + ": it knows no password, so who reaches it may do"
                    + " everything; use TLS that asks for a client's certificate (verify-peer=on), this host's"
                    + " loopback (tcp:127.0.0.1:" + tcp.port() + ") or unix:PATH");
        }
    }

    private static boolean isLoopback(Address.Tcp tcp) throws IOException {
        try {
            return !tcp.host().isEmpty() && InetAddress.getByName(tcp.host()).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new IOException("cannot listen on " + tcp + ": no address is known for this host name", e);
        }
    }
}
