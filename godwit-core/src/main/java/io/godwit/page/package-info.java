// SPDX-License-Identifier: Apache-2.0

/**
 * Block names and lengths, page addresses, bitmaps, the zero-page test and digests.
 *
 * <p>These are the words in which every other package speaks of memory. Nothing here knows of files or of the protocol.
 */
@NullMarked
package io.godwit.page;

import org.jspecify.annotations.NullMarked;
