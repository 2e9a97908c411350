// SPDX-License-Identifier: Apache-2.0

/**
 * Bytes to messages and back: sealed interfaces of records, with the layout of each drawn where it is decoded.
 *
 * <p>Encoders write to a buffer; decoders read from one and either return a message or ask for more bytes. What decoding
 * depends on, such as capabilities and page sizes, is a constructor argument: there are no sockets, threads or state here.
 */
@NullMarked
package io.godwit.wire;

import org.jspecify.annotations.NullMarked;
