// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the run led to. Filled by the scenario's thread, read once that is done. */
final class Report {
    /**
     * A recovery that was made to fail.
     *
     * @param path states that the source went through, in order
     * @param sourceMillis from {@code migrate resume} until the source was in postcopy-paused again
     * @param destinationMillis the same of the destination; -1 if the attempt never reached it
     * @param kickMillis from migrate-pause to postcopy-paused on the side that was kicked out; -1 if none was
     */
    record Failure(
            int number,
            Fault fault,
            List<String> path,
            double sourceMillis,
            double destinationMillis,
            double kickMillis,
            String outcome) {}

    /**
     * The channel was lost.
     *
     * @param cause how
     * @param sourceMillis until the source reported postcopy-paused
     * @param lastedMillis until postcopy-active again
     * @param written pages that the writers wrote at the destination meanwhile; -1 if the guest does not tell
     * @param waiting threads of the guest that waited for a page meanwhile; -1 if the guest does not tell
     * @param recoveryMillis from {@code migrate resume} on the good path to postcopy-active on both sides
     */
    record Loss(
            String cause,
            double sourceMillis,
            double destinationMillis,
            double lastedMillis,
            long written,
            long waiting,
            double recoveryMillis,
            List<Failure> failures) {
        Loss {
            failures = List.copyOf(failures);
        }
    }

    /** What both ends of a leg said of their migration at its end. */
    record Leg(String name, JsonObject source, JsonObject destination) {}

    final Settings settings;
    final List<Loss> losses = new ArrayList<>();
    /** With real QEMUs: the legs, how their guests were run, and after how many milliseconds the VM ran again. */
    final List<Leg> legs = new ArrayList<>();

    String accelerator = "";
    double runsAfterMillis = -1;

    JsonObject sourceMigration = Json.object();
    JsonObject destinationMigration = Json.object();
    JsonObject guest = Json.object();
    JsonObject memory = Json.object();
    String contRefused = "";
    double seconds;

    @Nullable
    String failure;

    List<String> tails = List.of();

    Report(Settings settings) {
        this.settings = settings;
    }

    /** Whether all went as it must and the memory is right. */
    boolean passed() {
        return failure == null && memory.bool("ok", false);
    }

    int failedRecoveries() {
        return losses.stream().mapToInt(loss -> loss.failures().size()).sum();
    }
}
