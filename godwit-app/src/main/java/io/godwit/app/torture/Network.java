// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.torture;

import io.godwit.app.lab.Side;
import io.godwit.net.Fault.Direction;
import java.io.IOException;
import java.util.List;

/** What is between the two ends, and what every kind of it can do to them. For one thread; an {@link IOException} has a sentence. */
interface Network {
    /** What stands before the command of a process of that end; may be empty. */
    List<String> launcher(Side side);

    /** All connections end, and both ends hear of it, unless what says so gets lost. */
    void cut() throws IOException;

    /** Nothing of that direction arrives any more, and nobody is told. */
    void silence(Direction direction) throws IOException;

    /** It takes long from now on, so that a recovery does; both ways. */
    void drag() throws IOException;

    /** @param bytes that pass in a second when nothing is done to it; 0: all that come */
    void pace(long bytes) throws IOException;

    /** Nothing is done to it any more; connections that live go on. */
    void clear() throws IOException;

    /**
     * As {@link #clear}, and nothing that vanished is missing from a connection that goes on.
     *
     * @return whether all connections were ended for that
     */
    boolean heal() throws IOException;
}
