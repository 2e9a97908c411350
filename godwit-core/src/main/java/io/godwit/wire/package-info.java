// SPDX-License-Identifier: Apache-2.0

/**
 * Bytes to messages and back: sealed interfaces of records, with the layout of each drawn where it is decoded.
 *
 * <p>Encoders write to a buffer; decoders read from one and either return a message or ask for more bytes. What decoding
 * depends on, such as capabilities and page sizes, is a constructor argument: there are no sockets, threads or state here.
 *
 * <p>Main channel: {@link io.godwit.wire.StreamMessage}, {@link io.godwit.wire.StreamDecoder}, {@link io.godwit.wire.StreamEncoder}, and for
 * one's own pages {@link io.godwit.wire.RecordEncoder}. Preempt channel: {@link io.godwit.wire.PreemptDecoder}. Multifd channels: {@link
 * io.godwit.wire.MultifdMessage} with its decoder and encoder. Return path: {@link io.godwit.wire.ReturnPathMessage} with its own. A connection that has not said yet what it is: {@link
 * io.godwit.wire.FirstBytes}. Pages that come encoded: {@link io.godwit.wire.EncodedPage}, {@link io.godwit.wire.Xbzrle}, {@link
 * io.godwit.wire.PageInflater}. Files with a place for each page: {@link io.godwit.wire.MappedRamReader}, {@link io.godwit.wire.MappedRamWriter}.
 * Whatever is off here is refused by name: {@link io.godwit.wire.UnsupportedOnWireException}.
 */
@NullMarked
package io.godwit.wire;

import org.jspecify.annotations.NullMarked;
