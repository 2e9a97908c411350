// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.qmp;

import io.godwit.json.JsonString;
import io.godwit.qmp.QmpMessage;
import org.jspecify.annotations.Nullable;

/**
 * The event that {@code --wait} waits for.
 *
 * @param status what its data must have as status, or null
 */
record EventWish(String name, @Nullable String status) {

    /** Reads {@code EVENT} or {@code EVENT:STATUS}. */
    static EventWish parse(String text) {
        int colon = text.indexOf(':');
        String name = colon < 0 ? text : text.substring(0, colon);
        String status = colon < 0 ? null : text.substring(colon + 1);
        if (name.isEmpty() || (status != null && status.isEmpty())) {
            throw new IllegalArgumentException(
                    "'" + text + "' names no event: use EVENT or EVENT:STATUS," + " as in STOP or MIGRATION:completed");
        }
        return new EventWish(name, status);
    }

    boolean isMetBy(QmpMessage.Event event) {
        return event.name().equals(name)
                && (status == null
                        || (event.data().get("status") instanceof JsonString(String got) && got.equals(status)));
    }

    @Override
    public String toString() {
        return status == null ? name : name + ":" + status;
    }
}
