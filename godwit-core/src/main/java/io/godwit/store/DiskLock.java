// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

/** A lock that is held; closing it gives it back. */
public interface DiskLock extends AutoCloseable {
    @Override
    void close() throws DiskException;
}
