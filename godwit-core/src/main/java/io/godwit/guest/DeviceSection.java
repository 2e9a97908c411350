// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

/**
 * The state of one device as a FULL section carries it ({@code spec/stream.md §4}).
 *
 * @param idstr device name, 1 to 255 bytes
 * @param instanceId unsigned 32 bits
 * @param versionId unsigned 32 bits
 * @param body the device's own bytes; not to be changed
 */
@SuppressWarnings("ArrayRecordComponent") // handed on as it is, never compared
public record DeviceSection(String idstr, int instanceId, int versionId, byte[] body) {}
