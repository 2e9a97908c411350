// SPDX-License-Identifier: Apache-2.0

package io.godwit.net;

import io.godwit.net.Ferry.Way;
import io.godwit.sys.ChildProcess;
import io.godwit.sys.Descriptor;
import io.godwit.sys.Poll;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What a {@link Ferry} does from one shore to the other. Used by the ferry's thread. */
final class Crossing implements AutoCloseable {
    private static final long NANOS_PER_MILLI = 1_000_000L;
    private static final int NEAR = 0;
    private static final int OUT = 1;
    private static final int IN = 2;
    private static final int CHILD = 3;
    private static final int PLACES = 4;

    private final String title;
    private final Way way;
    private final Descriptor near;
    private final @Nullable Descriptor in;
    private final @Nullable Descriptor out;
    private final @Nullable ChildProcess child;
    private final boolean file;
    private final @Nullable Path folder;
    private final Consumer<String> failure;

    private final Poll poll = new Poll(PLACES);
    private final Cargo outbound = new Cargo();
    private final Cargo inbound = new Cargo();
    /** All that came for the far side is there, or will never be. */
    private boolean delivered;
    /** Why it will never be. */
    private @Nullable String undeliverable;
    /** The owner was told how it ended. */
    private boolean told;

    private boolean ownerGone;
    private boolean terminated;
    private boolean killed;
    private int exitCode = -1;
    /** When something that is waited for has had its time; {@link Long#MAX_VALUE}: nothing is. */
    private long deadline = Long.MAX_VALUE;

    /** @param failure told once, at most, why it was lost */
    Crossing(String title, Way way, Descriptor near, FarSide far, Consumer<String> failure) {
        this.title = title;
        this.way = way;
        this.near = near;
        this.in = far.in();
        this.out = far.out();
        this.child = far.child();
        this.file = far.file();
        this.folder = far.folder();
        this.failure = failure;
        if (in == null) {
            inbound.end();
        }
    }

    void go() throws IOException {
        while (!over()) {
            watch();
            poll.await(timeout());
            boolean hungUp = (poll.found(NEAR) & (Poll.HUP | Poll.ERR)) != 0;
            takeOut();
            bringOut();
            takeIn();
            bringIn();
            if (poll.found(CHILD) != 0 && child != null) {
                exitCode = child.reap();
            }
            if (hungUp && !ownerGone) {
                leave();
            }
            conclude();
            if (System.nanoTime() - deadline >= 0 && deadline != Long.MAX_VALUE) {
                hurry();
            }
        }
    }

    /** Nobody is left at either shore. */
    private boolean over() {
        return ownerGone && delivered && (child == null || exitCode >= 0);
    }

    private void watch() {
        int nearEvents = (takesMore() ? Poll.IN : 0) | (inbound.isEmpty() ? 0 : Poll.OUT);
        // Once its owner is gone that would be reported for ever.
        poll.watch(NEAR, ownerGone && nearEvents == 0 ? null : near, nearEvents);
        // Not watched while there is nothing to write: one that nobody reads would be reported for ever.
        poll.watch(OUT, outbound.isEmpty() || delivered ? null : out, Poll.OUT);
        poll.watch(IN, inbound.isEmpty() && !inbound.ended() ? in : null, Poll.IN);
        poll.watch(CHILD, child == null || exitCode >= 0 ? null : child.ending(), Poll.IN);
    }

    private int timeout() {
        if (deadline == Long.MAX_VALUE) {
            return -1;
        }
        long left = deadline - System.nanoTime();
        return left <= 0 ? 0 : (int) (left / NANOS_PER_MILLI) + 1;
    }

    /**
     * What can no longer be delivered stays with its owner: one whose whole stream has been taken has given its guest away, and then no longer knows where it is.
     */
    private boolean takesMore() {
        return outbound.isEmpty() && !outbound.ended() && undeliverable == null;
    }

    /** From the owner. */
    private void takeOut() {
        if (poll.found(NEAR) != 0 && takesMore()) {
            try {
                outbound.load(near);
            } catch (IOException gone) {
                outbound.end(); // it was closed with something unread: the owner knows what it did
            }
        }
    }

    /** To the far side. */
    private void bringOut() {
        if (delivered || out == null) {
            outbound.drop();
            delivered |= outbound.ended();
            return;
        }
        try {
            if (!outbound.isEmpty()) {
                outbound.unload(out);
            }
            if (outbound.ended() && outbound.isEmpty()) {
                sync(out);
                closeOut();
            }
        } catch (IOException failed) {
            undeliverable = failed.getMessage();
            outbound.drop();
            closeOut();
        }
    }

    /** What is said to be written outlives a power loss, and so does its name. */
    private void sync(Descriptor written) throws IOException {
        if (file) {
            written.sync();
        }
        if (folder != null) {
            try (Descriptor names = Descriptor.openToRead(folder)) {
                names.sync();
            }
        }
    }

    private void closeOut() {
        delivered = true;
        if (out == null) {
            return;
        }
        if (out == in) {
            out.shutdownOutput();
        } else {
            Ferry.closeQuietly(out);
        }
    }

    /** From the far side. */
    private void takeIn() throws IOException {
        if (poll.found(IN) != 0 && in != null && inbound.isEmpty() && !inbound.ended()) {
            inbound.load(in);
        }
    }

    /** To the owner. */
    private void bringIn() {
        if (ownerGone) {
            inbound.drop();
        } else if (!inbound.isEmpty()) {
            try {
                inbound.unload(near);
            } catch (IOException gone) {
                inbound.drop(); // what it does not hear any more it does not want
            }
        }
    }

    /** The owner has closed its end: from here on it is about a decent end, and not for long. */
    private void leave() {
        ownerGone = true;
        told = true;
        inbound.drop();
        if (way == Way.IN) {
            endIn();
        }
        deadline = System.nanoTime() + Ferry.GRACE_NANOS;
    }

    private void endIn() {
        inbound.end();
        if (in != null && in != out) {
            Ferry.closeQuietly(in);
        }
    }

    /** Tells the owner how it has ended, once that is known. */
    private void conclude() throws IOException {
        if (told) {
            return;
        }
        if (child != null && exitCode >= 0) {
            collectRest();
        }
        if (!inbound.isEmpty()) {
            return;
        }
        switch (way) {
            case OUT -> concludeOut();
            case IN -> concludeIn();
        }
    }

    /** What a command said last is heard before its end; but not what others say who have its output, too. */
    private void collectRest() throws IOException {
        if (in != null && inbound.isEmpty() && !inbound.ended()) {
            inbound.load(in);
            if (inbound.isEmpty()) {
                endIn();
            }
            bringIn();
        }
    }

    private void concludeOut() {
        boolean whole = delivered && undeliverable == null && outbound.ended();
        if (child != null) {
            if (exitCode >= 0 && inbound.ended()) {
                tell(exitCode == 0 && whole ? null : whole ? exited() : exited() + " before it had taken everything");
            } else if (undeliverable != null && deadline == Long.MAX_VALUE) {
                deadline = System.nanoTime() + Ferry.GRACE_NANOS; // its end explains it better
            }
        } else if (undeliverable != null) {
            tell(undeliverable);
        } else if (inbound.ended()) {
            if (whole) {
                tell(null);
            } else if (in != null) {
                tell("the peer has closed the connection");
            }
        }
    }

    private void concludeIn() {
        if (!inbound.ended()) {
            return;
        }
        if (child == null || exitCode == 0) {
            tell(null);
        } else if (exitCode > 0) {
            tell(exited());
        } else if (deadline == Long.MAX_VALUE) {
            deadline = System.nanoTime() + Ferry.GRACE_NANOS; // its exit code says whether that was all
        }
    }

    private String exited() {
        return exitCode > ChildProcess.SIGNALLED
                ? "the command was ended by signal " + (exitCode - ChildProcess.SIGNALLED)
                : "the command ended with exit code " + exitCode
                        + (exitCode == ChildProcess.NOT_FOUND ? " (there is no such program)" : "");
    }

    private void tell(@Nullable String lost) {
        told = true;
        deadline = Long.MAX_VALUE;
        if (lost == null) {
            near.shutdownOutput();
        } else {
            failure.accept(title + ": " + lost);
        }
    }

    /** The deadline has passed. */
    private void hurry() throws IOException {
        deadline = Long.MAX_VALUE;
        if (!ownerGone) {
            tell(way == Way.OUT ? undeliverable : null); // coming in, the stream has ended though the command has not
            return;
        }
        outbound.drop();
        if (!delivered) {
            closeOut();
        }
        endIn();
        if (child == null || exitCode >= 0) {
            return;
        }
        if (!terminated) {
            terminated = true;
            child.terminate();
            deadline = System.nanoTime() + Ferry.GRACE_NANOS;
        } else if (!killed) {
            killed = true;
            child.kill();
        }
    }

    /** Lets go of everything; a command that has not ended, because of a defect of ours, is killed. */
    @Override
    public void close() throws IOException {
        try (poll;
                near;
                var _ = in;
                var _ = out;
                child) {
            if (child != null && exitCode < 0) {
                child.kill();
                poll.watch(NEAR, null, 0);
                poll.watch(OUT, null, 0);
                poll.watch(IN, null, 0);
                poll.watch(CHILD, child.ending(), Poll.IN);
                poll.await(-1);
                child.reap();
            }
        }
    }
}
