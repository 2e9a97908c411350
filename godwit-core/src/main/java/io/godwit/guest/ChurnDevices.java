// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A {@link ChurnGuest}'s device state, version 1, big-endian: one section {@code churn/config} and then, in order, one {@code churn/writer} per writer.
 *
 * <pre>
 *   churn/config  size u64, seed u64, writers u32, write rate u64, readers u32, read rate u64,
 *                 hot % u32, cold % u32, payload bytes u32, damages met so far u64
 *   churn/writer  position u64, sweep u64, pages written u64
 * </pre>
 *
 * @param damages how many damages the guest has met while it ran
 */
record ChurnDevices(ChurnOptions options, long damages, List<ChurnWriter.State> writers) {
    static final String CONFIG = "churn/config";
    static final String WRITER = "churn/writer";
    static final int VERSION = 1;

    private static final int CONFIG_BYTES = 5 * Long.BYTES + 5 * Integer.BYTES;
    private static final int WRITER_BYTES = 3 * Long.BYTES;

    List<DeviceSection> toSections() {
        List<DeviceSection> sections = new ArrayList<>();
        ByteBuffer config = ByteBuffer.allocate(CONFIG_BYTES)
                .putLong(options.size())
                .putLong(options.seed())
                .putInt(options.writers())
                .putLong(options.writeRate())
                .putInt(options.readers())
                .putLong(options.readRate())
                .putInt(options.hotPercent())
                .putInt(options.coldPercent())
                .putInt(options.payloadBytes())
                .putLong(damages);
        sections.add(new DeviceSection(CONFIG, 0, VERSION, config.array()));
        for (ChurnWriter.State state : writers) {
            ByteBuffer body = ByteBuffer.allocate(WRITER_BYTES)
                    .putLong(state.position())
                    .putLong(state.sweep())
                    .putLong(state.written());
            sections.add(new DeviceSection(WRITER, state.writer(), VERSION, body.array()));
        }
        return sections;
    }

    /** @throws IllegalArgumentException with a sentence that says what is wrong */
    static ChurnDevices fromSections(List<DeviceSection> sections) {
        require(!sections.isEmpty(), "the device state is empty; a churn guest's begins with '" + CONFIG + "'");
        ByteBuffer config = body(sections.getFirst(), CONFIG, 0, CONFIG_BYTES);
        long size = config.getLong();
        long seed = config.getLong();
        int writers = config.getInt();
        long writeRate = config.getLong();
        int readers = config.getInt();
        long readRate = config.getLong();
        ChurnOptions options = new ChurnOptions(
                size, writers, writeRate, readers, readRate, config.getInt(), config.getInt(), config.getInt(), seed);
        long damages = config.getLong();
        require(
                sections.size() == 1 + writers,
                "the device state has " + (sections.size() - 1) + " sections after '" + CONFIG + "', but the guest has "
                        + writers + " writers");
        ChurnLayout layout = new ChurnLayout(options);
        List<ChurnWriter.State> states = new ArrayList<>();
        for (int i = 0; i < writers; i++) {
            states.add(writer(sections.get(1 + i), i, layout.owned(i)));
        }
        return new ChurnDevices(options, damages, states);
    }

    private static ChurnWriter.State writer(DeviceSection section, int writer, long owned) {
        ByteBuffer body = body(section, WRITER, writer, WRITER_BYTES);
        ChurnWriter.State state = new ChurnWriter.State(writer, body.getLong(), body.getLong(), body.getLong());
        require(
                state.position() >= 0 && state.position() < Math.max(1, owned) && state.sweep() >= 1,
                "writer " + writer + " is said to be at position " + state.position() + " of sweep " + state.sweep()
                        + ", but it owns " + owned + " pages and sweeps count from 1");
        return state;
    }

    private static ByteBuffer body(DeviceSection section, String idstr, int instance, int bytes) {
        String name = "device section '" + section.idstr() + "' instance " + section.instanceId();
        require(
                section.idstr().equals(idstr) && section.instanceId() == instance,
                name + " stands where a churn guest has '" + idstr + "' instance " + instance);
        require(
                section.versionId() == VERSION,
                name + " has version " + Integer.toUnsignedString(section.versionId())
                        + ", but this guest knows only version " + VERSION + "; run the same Godwit on both sides");
        require(
                section.body().length == bytes,
                name + " has " + section.body().length + " bytes, but version " + VERSION + " has " + bytes);
        return ByteBuffer.wrap(section.body());
    }

    private static void require(boolean met, String sentence) {
        if (!met) {
            throw new IllegalArgumentException(sentence);
        }
    }
}
