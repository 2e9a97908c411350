// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

/** The RAM of a guest. Only the name for now, so that {@code guest} compiles: replaced whole by the real one. */
public interface GuestMemory {}
