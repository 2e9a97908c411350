// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

/** A deadline has passed. A command whose answer did not come in time may have been carried out, or may still be. */
public final class QmpTimeout extends QmpException {
    private static final long serialVersionUID = 1;

    QmpTimeout(String message) {
        super(message, null);
    }
}
