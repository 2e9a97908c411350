// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

/** A command's error reply ({@code spec/qmp.md §1}); the message is its description. */
public final class QmpError extends QmpException {
    private static final long serialVersionUID = 1;

    /** The class of nearly all errors. */
    public static final String GENERIC = "GenericError";
    /** Unknown commands, and all but one before the capability negotiation. */
    public static final String COMMAND_NOT_FOUND = "CommandNotFound";
    /** What a yank was asked for and does not exist. */
    public static final String DEVICE_NOT_FOUND = "DeviceNotFound";

    private final String errorClass;

    public QmpError(String errorClass, String description) {
        super(description, null);
        this.errorClass = errorClass;
    }

    /** An error of class GenericError. */
    public static QmpError generic(String description) {
        return new QmpError(GENERIC, description);
    }

    /** QEMU's word for the kind of error: the part of an error that programs may rely on. */
    public String errorClass() {
        return errorClass;
    }
}
