// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.Pages;
import io.godwit.protocol.DestinationEffect;
import io.godwit.protocol.DestinationInput;
import io.godwit.protocol.DestinationMachine;
import io.godwit.protocol.MigrationStatus;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.Wire;
import io.godwit.wire.DeviceSectionBytes;
import io.godwit.wire.DeviceSections;
import io.godwit.wire.PackagedBlob;
import io.godwit.wire.StreamEncoder;
import io.godwit.wire.StreamMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Device state is kept where it is due, and nowhere else: whoever sends it at another time is refused, and may come again as often as he likes. */
class UnwantedDevicesTest {
    private static final byte[] DEVICES =
            DeviceSections.encode(List.of(new DeviceSectionBytes("timer", 0, 1, new byte[1000])), 1);

    @AutoClose
    private final DestinationTalk talk = new DestinationTalk(DestinationTalk.POSTCOPY);

    private final DestinationMachine machine = new DestinationMachine(DestinationTalk.POSTCOPY, Parameters.DEFAULT);
    private final IncomingChannels channels = new IncomingChannels(DestinationTalk.POSTCOPY);
    private final IncomingDevices devices = new IncomingDevices();
    private final List<DestinationEffect> effects = new ArrayList<>();
    private final DestinationReader reader = reader();

    private DestinationReader reader() {
        DestinationStats stats = new DestinationStats();
        IncomingPages pages = new IncomingPages(stats);
        MultifdLink multifd = new MultifdLink(null, machine, channels, talk.host, stats, this::step);
        return new DestinationReader(
                machine,
                talk.guest,
                pages,
                channels,
                devices,
                multifd,
                talk.host,
                stats,
                new ReturnPathWriter(pages.blocks()),
                (input, now) -> step(input));
    }

    private void step(DestinationInput input) {
        machine.handle(input, 1, effects::add);
    }

    private UnwantedDevicesTest says(StreamMessage... messages) {
        for (StreamMessage message : messages) {
            reader.main(ByteBuffer.wrap(StreamEncoder.bytes(message)), 1);
        }
        return this;
    }

    private UnwantedDevicesTest opens() {
        step(new DestinationInput.Incoming());
        channels.begin(1);
        step(new DestinationInput.MainOpened());
        return says(
                new StreamMessage.Header(), StreamMessage.Configuration.of("test"), new StreamMessage.OpenReturnPath());
    }

    private UnwantedDevicesTest blocks() {
        return says(
                StreamMessage.SectionStart.ram(1),
                StreamMessage.MemSize.of(DestinationTalk.BLOCKS),
                new StreamMessage.EndOfRecords(),
                new StreamMessage.Footer(1));
    }

    private UnwantedDevicesTest packaged() {
        return says(new PackagedBlob(DEVICES, List.of(Wire.PING_LOADED)).encode());
    }

    private byte[] kept() {
        return devices.state().devices();
    }

    @Test
    void theDevicesOfASwitchThatIsDueAreKeptAndLoaded() {
        opens().says(new StreamMessage.PostcopyAdvise(Pages.SIZE, Pages.SIZE)).blocks();
        assertThat(machine.awaitsPackaged()).isTrue();

        packaged();

        assertThat(kept()).isEqualTo(DEVICES);
        assertThat(effects).contains(new DestinationEffect.LoadDevices(true, true));
        assertThat(machine.awaitsPackaged()).as("it comes once").isFalse();
    }

    @Test
    void thoseOfASwitchThatNobodyAnnouncedAreNot() {
        opens().blocks().packaged();

        assertThat(machine.status()).isEqualTo(MigrationStatus.FAILED);
        assertThat(kept()).isEmpty();
    }

    @Test
    void norThoseThatComeBeforeTheMemory() {
        opens().says(new StreamMessage.PostcopyAdvise(Pages.SIZE, Pages.SIZE)).packaged();

        assertThat(machine.status()).isEqualTo(MigrationStatus.FAILED);
        assertThat(kept()).isEmpty();
    }
}
