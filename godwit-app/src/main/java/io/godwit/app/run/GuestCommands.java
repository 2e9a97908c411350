// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.run;

import io.godwit.guest.ChurnGuest;
import io.godwit.guest.ChurnStats;
import io.godwit.guest.Damage;
import io.godwit.guest.Verification;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import io.godwit.qmp.ArgumentType;
import io.godwit.qmp.CommandTable;
import io.godwit.qmp.QmpError;
import java.util.List;

/**
 * QMP commands about the guest itself. What {@code park} and {@code unpark} ask any peer, answered as QEMU does ({@code spec/qmp.md §4}):
 *
 * <ul>
 *   <li>{@code qom-get} of {@code /machine}'s {@code type}, {@code query-memory-size-summary}, {@code query-uuid}: which machine it is, and how large.
 * </ul>
 *
 * <p>And what QEMU has no counterpart of:
 *
 * <ul>
 *   <li>{@code x-godwit-guest-stats}: what the writers and readers have done, and how many of the guest's threads wait for a page.
 *   <li>{@code x-godwit-guest-verify}: compares every page of the stopped guest with what was written last; about half a second per GiB.
 * </ul>
 */
final class GuestCommands {
    /** As QEMU says it of a machine that was given none. */
    private static final String NO_UUID = "00000000-0000-0000-0000-000000000000";

    private final ChurnGuest guest;

    private GuestCommands(ChurnGuest guest) {
        this.guest = guest;
    }

    /** Adds the commands to an endpoint's table. */
    static void add(CommandTable.Builder table, ChurnGuest guest) {
        GuestCommands commands = new GuestCommands(guest);
        table.command("qom-get")
                .takes("path", ArgumentType.STRING)
                .takes("property", ArgumentType.STRING)
                .runs(commands::property);
        table.command("query-memory-size-summary").runs(_ -> commands.memorySize());
        table.command("query-uuid")
                .runs(_ -> JsonObject.builder().put("UUID", NO_UUID).build());
        table.command("x-godwit-guest-stats").runs(_ -> commands.stats());
        table.command("x-godwit-guest-verify").runs(_ -> commands.verify());
    }

    private Json property(JsonObject arguments) throws QmpError {
        String path = arguments.string("path");
        String property = arguments.string("property");
        if (!path.equals("/machine") || !property.equals("type")) {
            throw new QmpError(
                    QmpError.GENERIC,
                    "'" + property + "' of '" + path + "' is not known here: of '/machine' its 'type' is");
        }
        return Json.of(guest.machine());
    }

    private Json memorySize() {
        return JsonObject.builder()
                .put("base-memory", guest.memory().blocks().get(0).usedLength())
                .put("plugged-memory", 0)
                .build();
    }

    private Json stats() {
        ChurnStats stats = guest.stats();
        JsonObject.Builder json = JsonObject.builder()
                .put("pages-written", stats.pagesWritten())
                .put("pages-read", stats.pagesRead())
                .put("damages", stats.damages())
                .put("blocked-threads", guest.memory().blockedThreads())
                .put("missing-pages", guest.memory().missingPages())
                .put(
                        "writers",
                        new JsonArray(stats.writers().stream()
                                .map(GuestCommands::shown)
                                .toList()));
        Damage first = guest.firstDamage();
        if (first != null) {
            json.put("first-damage", first.toString());
        }
        return json.build();
    }

    private static Json shown(ChurnStats.Writer writer) {
        return JsonObject.builder()
                .put("writer", writer.writer())
                .put("pages", writer.pages())
                .put("sweep", writer.sweep())
                .put("position", writer.position())
                .build();
    }

    private Json verify() throws QmpError {
        Verification found;
        try {
            found = guest.verify();
        } catch (IllegalStateException e) {
            throw new QmpError(QmpError.GENERIC, String.valueOf(e.getMessage()));
        }
        return JsonObject.builder()
                .put("ok", found.ok())
                .put("pages", found.pages())
                .put("damaged", found.damaged())
                .put("damages", shown(found.damages()))
                .put("damaged-running", found.damagedRunning())
                .put("damages-running", shown(found.damagesRunning()))
                .put("summary", found.summary())
                .build();
    }

    private static Json shown(List<Damage> damages) {
        return new JsonArray(
                damages.stream().<Json>map(damage -> Json.of(damage.toString())).toList());
    }
}
