// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.wire.StreamMessage;

/**
 * What a stream says once of the machine it carries and what the other end's answers depend on.
 *
 * @param configuration the machine's name and what else stands beside it ({@code spec/stream.md §3})
 * @param ramSectionId the section id of "ram", which the sender chooses ({@code spec/stream.md §4}); no device section beside it may have the same
 */
public record StreamIdentity(StreamMessage.Configuration configuration, int ramSectionId) {}
