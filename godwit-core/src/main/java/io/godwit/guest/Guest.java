// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.memory.GuestMemory;
import java.util.List;

/**
 * What is migrated: memory, device state, and a switch that stops or runs it. The methods may be called from any thread; none of them
 * waits for the guest's own threads.
 */
public interface Guest extends AutoCloseable {
    /** The machine's name in the stream's configuration; source and destination must agree. */
    String machine();

    GuestMemory memory();

    /** Starts or continues the guest's threads. No effect while running. */
    void start();

    /**
     * Asks the guest to stop and returns at once; {@code stopped} is called, on any thread, once no guest thread can touch memory any more. A
     * guest thread that waits for a missing page stops without it and touches it again after {@link #start}.
     */
    void stop(Runnable stopped);

    boolean isRunning();

    /** The device state of a stopped guest, in stream order. */
    List<DeviceSection> saveDevices();

    /**
     * Takes over a device state, before the first {@link #start}.
     *
     * @throws IllegalArgumentException if it is not this guest's, with a sentence that says what is wrong
     */
    void loadDevices(List<DeviceSection> sections);

    /** Ends the guest's threads and frees nothing that a migration may still need: the memory is closed by its owner. */
    @Override
    void close();
}
