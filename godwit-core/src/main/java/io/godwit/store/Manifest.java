// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a VM's folder says about itself.
 *
 * @param state who may run it
 * @param arrival what the source said of the VM
 * @param attempt how often a source began to send, from 1
 * @param runState the guest's run state at the source before it was stopped, for example {@code running}; null as long as it is not known
 * @param clones how often it was unparked as a clone
 * @param lastClone the last of these, or null: what a recovery of it needs
 * @param created when the folder was first used
 * @param changed when the state changed last
 * @param writtenBy the Godwit version that wrote this
 */
public record Manifest(
        StoreState state,
        Arrival arrival,
        int attempt,
        @Nullable String runState,
        int clones,
        StoreState.@Nullable Departure lastClone,
        Instant created,
        Instant changed,
        String writtenBy) {
    /** The format that is written; a higher one is refused, with the version that wrote it. */
    public static final int FORMAT = 1;

    /** Another attempt of a source begins; {@code before} is what is known of earlier ones, or null. */
    static Manifest receiving(@Nullable Manifest before, Arrival arrival, Instant now, String version) {
        return new Manifest(
                new StoreState.Receiving(),
                arrival,
                before == null ? 1 : before.attempt + 1,
                null,
                0,
                null,
                before == null ? now : before.created,
                now,
                version);
    }

    Manifest with(StoreState next, Instant now) {
        return new Manifest(next, arrival, attempt, runState, clones, lastClone, created, now, writtenBy);
    }

    Manifest withRunState(@Nullable String word) {
        return new Manifest(state, arrival, attempt, word, clones, lastClone, created, changed, writtenBy);
    }

    Manifest withClone(StoreState.Departure departure) {
        return new Manifest(
                state, arrival, attempt, runState, clones + 1, departure, created, departure.at(), writtenBy);
    }

    /** Name of block {@code index}'s RAM: page p is at p * 4096. The peer's name for it is never a file's name. */
    public static String ramFile(int index) {
        return "ram-" + index;
    }

    /** Name of the file of block {@code index}'s digests: page p's is at p * 8, little-endian. */
    public static String digestFile(int index) {
        return "digest-" + index;
    }
}
