// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import io.godwit.protocol.Channel;
import io.godwit.protocol.DestinationInput;
import java.util.function.Consumer;

/** What a destination asks of its guest, and how the answers come back as inputs of the machine. Used by the loop only. */
final class GuestWorks implements IncomingGuest.Answer {
    private final IncomingGuest guest;
    private final IncomingPages pages;
    private final Consumer<DestinationInput> inputs;

    /** @param inputs takes what is to be told to the machine, from inside a call too */
    GuestWorks(IncomingGuest guest, IncomingPages pages, Consumer<DestinationInput> inputs) {
        this.guest = guest;
        this.pages = pages;
        this.inputs = inputs;
    }

    void load(MachineState state, boolean postcopy, boolean confirmed) {
        begin(() -> guest.load(state, postcopy, confirmed, this));
    }

    void finish(boolean confirmed) {
        begin(() -> guest.finish(confirmed, this));
    }

    void mend() {
        begin(() -> guest.mend(this));
    }

    void reset() {
        try {
            guest.reset();
        } catch (StorageException e) {
            inputs.accept(new DestinationInput.StorageFailed(String.valueOf(e.getMessage())));
        }
    }

    private void begin(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            // A guest's defect. It has not run here, and the source is to be told so as of any other failure.
            inputs.accept(new DestinationInput.WorkFailed(e.toString(), false));
        }
    }

    @Override
    public void done() {
        pages.recount();
        inputs.accept(new DestinationInput.WorkDone());
    }

    @Override
    public void failed(String reason, boolean again) {
        pages.recount();
        inputs.accept(new DestinationInput.WorkFailed(reason, again));
    }

    /** A source that loses its channel past its commit point is uncertain, which is the truth; the work goes on. */
    @Override
    public void undecided(String reason) {
        inputs.accept(new DestinationInput.Broken(Channel.MAIN, reason));
    }
}
