// SPDX-License-Identifier: Apache-2.0

package io.godwit.protocol;

/** QEMU 10.0's status words ({@code spec/sequences.md §8}, {@code spec/qmp.md §4}) and Godwit's one more, {@link #UNCERTAIN}. */
public enum MigrationStatus {
    NONE("none"),
    SETUP("setup"),
    CANCELLING("cancelling"),
    CANCELLED("cancelled"),
    ACTIVE("active"),
    POSTCOPY_ACTIVE("postcopy-active"),
    POSTCOPY_PAUSED("postcopy-paused"),
    POSTCOPY_RECOVER_SETUP("postcopy-recover-setup"),
    POSTCOPY_RECOVER("postcopy-recover"),
    COMPLETED("completed"),
    FAILED("failed"),
    PRE_SWITCHOVER("pre-switchover"),
    DEVICE("device"),
    /**
     * Source only: the commit point is passed, the channel is gone, and nobody here knows whether the destination has the guest. Everything is
     * kept, nothing runs. See DESIGN rule 5.
     */
    UNCERTAIN("uncertain");

    private final String word;

    MigrationStatus(String word) {
        this.word = word;
    }

    /** The word in QMP. */
    public String word() {
        return word;
    }

    @Override
    public String toString() {
        return word;
    }
}
