// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import java.util.List;

/**
 * The outcome of looking at every page of a stopped guest.
 *
 * @param pages how many pages were looked at
 * @param damaged how many of them are damaged
 * @param damages the first of them, in no particular order
 * @param damagedRunning how many damages the guest met while it ran, here or before it was migrated; running on, it overwrote them
 * @param damagesRunning the first of those met here
 */
public record Verification(
        long pages, long damaged, List<Damage> damages, long damagedRunning, List<Damage> damagesRunning) {

    /** Whether every page holds exactly what the guest wrote last, now and all the time. */
    public boolean ok() {
        return damaged == 0 && damagedRunning == 0;
    }

    /** One sentence for people. */
    public String summary() {
        if (ok()) {
            return "all " + pages + " pages hold what the guest wrote last, and it met no other while it ran";
        }
        StringBuilder text = new StringBuilder();
        text.append(damaged).append(" of ").append(pages).append(" pages are damaged");
        damages.stream()
                .findFirst()
                .ifPresent(first -> text.append(" (").append(first).append(')'));
        text.append(", and the guest met ").append(damagedRunning).append(" damages while it ran");
        damagesRunning.stream()
                .findFirst()
                .ifPresent(first -> text.append(" (").append(first).append(')'));
        return text.toString();
    }
}
