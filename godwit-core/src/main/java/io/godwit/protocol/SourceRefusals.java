// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

import io.godwit.protocol.SourceState.Active;
import io.godwit.protocol.SourceState.AwaitingShut;
import io.godwit.protocol.SourceState.Cancelled;
import io.godwit.protocol.SourceState.Completed;
import io.godwit.protocol.SourceState.Failed;
import io.godwit.protocol.SourceState.Flushing;
import io.godwit.protocol.SourceState.Held;
import io.godwit.protocol.SourceState.Idle;
import io.godwit.protocol.SourceState.Lost;
import io.godwit.protocol.SourceState.Paused;
import io.godwit.protocol.SourceState.PostcopyActive;
import io.godwit.protocol.SourceState.PreSwitchover;
import io.godwit.protocol.SourceState.Recover;
import io.godwit.protocol.SourceState.RecoverSetup;
import io.godwit.protocol.SourceState.Setup;
import io.godwit.protocol.SourceState.Stopping;
import io.godwit.protocol.SourceState.Uncertain;
import org.jspecify.annotations.Nullable;

/** Which operator's word is refused in which state of a source, and why: the conditions of {@code spec/qmp.md §2.1}, the sentences are ours. */
final class SourceRefusals {
    private SourceRefusals() {}

    static @Nullable String refuse(SourceInput input, SourceState state, MigrationOptions options) {
        return switch (input) {
            case SourceInput.Migrate(boolean atOnce) ->
                atOnce && !options.postcopy()
                        ? "without capability postcopy-ram there is no switch to postcopy"
                        : migrate(state);
            case SourceInput.Resume _ -> resume(state);
            case SourceInput.StartPostcopy _ -> startPostcopy(state, options);
            case SourceInput.Continue _ ->
                state instanceof PreSwitchover
                        ? null
                        : "the migration is in state " + state.status()
                                + ", not in pre-switchover: there is nothing to continue";
            case SourceInput.Pause _ -> pause(state);
            case SourceInput.Cancel _ -> cancel(state);
            case SourceInput.ResolveHere _ ->
                state instanceof Completed(boolean confirmed) && !confirmed ? null : resolve(state);
            case SourceInput.ResolveThere _ -> resolve(state);
            case SourceInput.ResolveWhole(long unsent) -> resolveWhole(state, unsent);
            case SourceInput.Revived _,
                    SourceInput.Connected _,
                    SourceInput.Broken _,
                    SourceInput.Received _,
                    SourceInput.GuestStopped _,
                    SourceInput.StopFailed _,
                    SourceInput.StorageFailed _,
                    SourceInput.Estimate _,
                    SourceInput.NothingLeft _,
                    SourceInput.Written _,
                    SourceInput.Tick _ -> null;
        };
    }

    private static final String HELD =
            "a recovery's channel is held (x-godwit-held), because a QEMU 7.2 does not survive its end; it is used again as soon as it comes back to life, and yank gives it up";

    private static @Nullable String resolve(SourceState state) {
        if (state instanceof Held) {
            return HELD;
        }
        return state instanceof Uncertain
                ? null
                : "the migration is in state " + state.status()
                        + ", not in uncertain: whose the guest is needs no word of yours"
                        + (state instanceof Paused
                                ? " (that the destination has all of its memory may need one: whole=true)"
                                : "");
    }

    private static @Nullable String resolveWhole(SourceState state, long unsent) {
        if (state instanceof Held) {
            return HELD;
        }
        boolean lost = state instanceof Paused || state instanceof Uncertain;
        if (!lost) {
            return "the migration is in state " + state.status()
                    + ", not in postcopy-paused or uncertain: what the destination has needs no word of yours";
        }
        boolean precopy = state instanceof Uncertain(Lost origin, boolean _) && origin == Lost.PRECOPY_UNPROVEN;
        return precopy || unsent == 0
                ? null
                : "the destination cannot have all of the memory: " + unsent
                        + " pages are still to be sent from here; recover the migration with migrate and resume=true";
    }

    private static @Nullable String migrate(SourceState state) {
        return switch (state) {
            case Idle _, Failed _, Cancelled _ -> null;
            case Completed _ ->
                "the guest was migrated away and is the destination's now: it cannot be migrated from here again";
            case Paused _, Held _, Uncertain _ ->
                "a migration stands in " + state.status() + ": recover it with migrate and resume=true"
                        + (state instanceof Uncertain ? ", or end it with x-godwit-migrate-resolve" : "");
            case Setup _,
                    Active _,
                    Stopping _,
                    PreSwitchover _,
                    Flushing _,
                    AwaitingShut _,
                    PostcopyActive _,
                    RecoverSetup _,
                    Recover _ -> "a migration is under way (" + state.status() + ")";
        };
    }

    private static @Nullable String resume(SourceState state) {
        return switch (state) {
            case Paused _, Uncertain _ -> null;
            case Held _ -> HELD;
            case Idle _,
                    Setup _,
                    Active _,
                    Stopping _,
                    PreSwitchover _,
                    Flushing _,
                    AwaitingShut _,
                    PostcopyActive _,
                    RecoverSetup _,
                    Recover _,
                    Completed _,
                    Failed _,
                    Cancelled _ -> "there is no paused migration to resume: the state is " + state.status();
        };
    }

    private static @Nullable String startPostcopy(SourceState state, MigrationOptions options) {
        return switch (state) {
            case Setup _, Active _, Stopping _, PreSwitchover _ ->
                options.postcopy()
                        ? null
                        : "the migration was started without capability postcopy-ram: set it at both ends before migrate";
            case Idle _, Failed _, Cancelled _, Completed _ ->
                "there is no running migration that could be switched to postcopy: start one with migrate";
            case Flushing _,
                    AwaitingShut _,
                    PostcopyActive _,
                    Paused _,
                    RecoverSetup _,
                    Recover _,
                    Held _,
                    Uncertain _ -> "the switchover is already made: the state is " + state.status();
        };
    }

    private static @Nullable String pause(SourceState state) {
        return switch (state) {
            case PostcopyActive _, RecoverSetup _, Recover _ -> null;
            case Idle _,
                    Setup _,
                    Active _,
                    Stopping _,
                    PreSwitchover _,
                    Flushing _,
                    AwaitingShut _,
                    Paused _,
                    Held _,
                    Uncertain _,
                    Completed _,
                    Failed _,
                    Cancelled _ ->
                "migrate-pause works in postcopy-active, postcopy-recover-setup and postcopy-recover; the state is "
                        + state.status();
        };
    }

    private static @Nullable String cancel(SourceState state) {
        return switch (state) {
            case Idle _,
                    Setup _,
                    Active _,
                    Stopping _,
                    PreSwitchover _,
                    Flushing _,
                    Completed _,
                    Failed _,
                    Cancelled _ -> null;
            case AwaitingShut _ ->
                "the guest was handed to the destination (everything is sent, its word is awaited): cancelling could leave two running guests";
            case PostcopyActive _, Paused _, RecoverSetup _, Recover _, Held _ ->
                "the destination runs the guest (" + state.status()
                        + "): cancelling would lose the memory that is still here; recover the migration instead";
            case Uncertain _ ->
                "nobody here knows whether the destination runs the guest: recover the migration, or decide with x-godwit-migrate-resolve";
        };
    }
}
