// SPDX-License-Identifier: Apache-2.0

package io.godwit.pump;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.page.BlockInfo;
import io.godwit.page.Pages;
import io.godwit.protocol.SourceInput.Mark;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Bytes wait in order, also for a barrier, and a mark is reached when the kernel has what stands before it. */
class OutboxTest {
    private final Outbox outbox = new Outbox(8);

    private static byte[] bytes(int from, int count) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) (from + i);
        }
        return bytes;
    }

    /** Takes at most so many bytes, in pieces as small as a kernel likes. */
    private List<Byte> take(int most, int piece) {
        List<Byte> taken = new ArrayList<>();
        ByteBuffer head;
        while (taken.size() < most && (head = outbox.head()) != null) {
            int n = Math.min(piece, Math.min(head.remaining(), most - taken.size()));
            for (int i = 0; i < n; i++) {
                taken.add(head.get());
            }
            outbox.advance(n);
        }
        return taken;
    }

    private static List<Byte> list(int from, int count) {
        List<Byte> list = new ArrayList<>();
        for (byte one : bytes(from, count)) {
            list.add(one);
        }
        return list;
    }

    @Test
    void bytesComeOutInOrderFromChunkToChunkAndInAnyPieces() {
        outbox.append(bytes(0, 20));
        assertThat(take(5, 3)).isEqualTo(list(0, 5));
        outbox.append(bytes(20, 3));
        assertThat(outbox.pending()).isEqualTo(18);
        assertThat(take(100, 3)).isEqualTo(list(5, 18));
        assertThat(outbox.head()).isNull();
        assertThat(outbox.pending()).isZero();
    }

    private final List<String> back = new ArrayList<>();

    private Loan loan(String name, int from, int count) {
        return new Loan(ByteBuffer.wrap(bytes(from, count)), () -> back.add(name));
    }

    @Test
    void whatIsLentComesInItsPlaceAndIsGivenBackWhenAllOfItIsTaken() {
        outbox.append(bytes(0, 3));
        outbox.lend(loan("first", 3, 5));
        outbox.append(bytes(8, 2));
        outbox.lend(loan("second", 10, 4));
        outbox.lend(loan("third", 14, 1));
        outbox.append(bytes(15, 9));
        assertThat(outbox.pending()).isEqualTo(24);

        assertThat(take(7, 2)).isEqualTo(list(0, 7));
        assertThat(back).as("one of its bytes is not taken").isEmpty();
        assertThat(take(1, 1)).isEqualTo(list(7, 1));
        assertThat(back).containsExactly("first");
        assertThat(take(100, 100)).isEqualTo(list(8, 16));
        assertThat(back).containsExactly("first", "second", "third");
        assertThat(outbox.pending()).isZero();
    }

    /** A section is written into the room around what is lent, and counted when it is whole. */
    @Test
    void theRoomGoesOnBehindWhatIsLent() {
        ByteBuffer out = outbox.room(6);
        out.put(bytes(0, 2));
        outbox.lend(loan("page", 2, 3));
        out.put(bytes(5, 2));
        outbox.appended(4);
        assertThat(outbox.total()).isEqualTo(7);
        assertThat(outbox.room(4)).isSameAs(out);
        assertThat(take(100, 3)).isEqualTo(list(0, 7));
    }

    @Test
    void whatIsLentWaitsBehindABarrierToo() {
        outbox.append(bytes(0, 2));
        outbox.lend(loan("before", 2, 2));
        outbox.barrier();
        outbox.lend(loan("behind", 4, 2));
        outbox.append(bytes(6, 1));
        assertThat(take(100, 100)).isEqualTo(list(0, 4));
        assertThat(back).containsExactly("before");
        outbox.release();
        assertThat(take(100, 100)).isEqualTo(list(4, 3));
    }

    @Test
    void whatIsLentAndWillNotBeSentIsGivenBack() {
        outbox.append(bytes(0, 2));
        outbox.lend(loan("page", 2, 3));
        outbox.append(bytes(5, 2));
        outbox.reset();
        assertThat(back).containsExactly("page");
        outbox.append(bytes(20, 12));
        assertThat(take(100, 5)).isEqualTo(list(20, 12));
    }

    @Test
    void inWhateverOrderBytesComeAndGoTheyStayInOrder() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        int given = 0;
        int taken = 0;
        int lent = 0;
        for (int i = 0; i < 20_000; i++) {
            int count = random.nextInt(1, 20);
            switch (random.nextInt(3)) {
                case 0 -> outbox.append(bytes(given, count));
                case 1 -> outbox.lend(loan("loan " + lent++, given, count));
                default -> {
                    int expected = (int) Math.min(count, outbox.pending());
                    assertThat(take(count, random.nextInt(1, 9)))
                            .as("seed %s, step %s", seed, i)
                            .isEqualTo(list(taken, expected));
                    taken += expected;
                    count = 0;
                }
            }
            given += count;
        }
        take(Integer.MAX_VALUE, 9);
        assertThat(back).as("seed %s", seed).hasSize(lent).doesNotHaveDuplicates();
    }

    @Test
    void aMarkIsReachedWithTheLastByteBeforeIt() {
        outbox.append(bytes(0, 10));
        outbox.mark(Mark.PING);
        outbox.append(bytes(10, 1));
        outbox.mark(Mark.COMMIT);
        take(9, 9);
        assertThat(outbox.reached()).isNull();
        take(1, 1);
        assertThat(outbox.reached()).isEqualTo(Mark.PING);
        assertThat(outbox.reached()).isNull();
        take(1, 1);
        assertThat(outbox.reached()).isEqualTo(Mark.COMMIT);
    }

    /** The commit point must not be handed over while another channel still has pages. */
    @Test
    void whatStandsBehindABarrierWaitsForItsRelease() {
        outbox.append(bytes(0, 5));
        outbox.barrier();
        outbox.append(bytes(5, 5));
        outbox.barrier();
        outbox.append(bytes(10, 5));

        assertThat(take(100, 4)).as("the first barrier counts").isEqualTo(list(0, 5));
        assertThat(outbox.head()).isNull();
        assertThat(outbox.released()).isFalse();

        outbox.release();
        assertThat(outbox.released()).as("to be tried").isTrue();
        assertThat(take(100, 4)).isEqualTo(list(5, 10));
        assertThat(outbox.released()).as("it was tried").isFalse();
    }

    @Test
    void aBarrierAtTheBeginningAndBehindAWholeChunkHoldsAsWell() {
        outbox.barrier();
        outbox.append(bytes(0, 8));
        assertThat(outbox.head()).isNull();
        outbox.release();
        assertThat(take(100, 8)).isEqualTo(list(0, 8));

        outbox.append(bytes(0, 8));
        assertThat(take(3, 3)).hasSize(3);
        outbox.barrier();
        outbox.append(bytes(8, 1));
        assertThat(take(100, 8)).isEqualTo(list(3, 5));
        outbox.release();
        assertThat(take(100, 8)).isEqualTo(list(8, 1));
    }

    @Test
    void aReleaseWithoutABarrierIsNothingToTry() {
        outbox.append(bytes(0, 3));
        outbox.release();
        assertThat(outbox.released()).isFalse();
    }

    @Test
    void aNewConnectionBeginsWithNothing() {
        outbox.append(bytes(0, 20));
        outbox.mark(Mark.END);
        outbox.barrier();
        outbox.close();
        outbox.reset();
        assertThat(outbox.pending()).isZero();
        assertThat(outbox.head()).isNull();
        assertThat(outbox.reached()).isNull();
        assertThat(outbox.closing()).isFalse();
        outbox.barrier();
        outbox.append(bytes(40, 9));
        assertThat(outbox.head()).as("behind a barrier at its beginning").isNull();
        outbox.release();
        outbox.release();
        assertThat(outbox.released()).isTrue();
        assertThat(take(100, 9)).isEqualTo(list(40, 9));
    }

    // ---- the log of requests, which grows

    @Test
    void moreRequestsThanTheLogBeganWithAreAllOwedInTheirOrder() {
        try (DestinationTalk talk =
                new DestinationTalk(DestinationTalk.POSTCOPY, List.of(BlockInfo.of("a", 300L * Pages.SIZE)))) {
            PageSink memory = talk.guest.memory();
            RequestLog log = new RequestLog();
            int first = 20;
            for (int page = 0; page < first; page++) {
                log.sent(0, page, page);
                memory.storeZero(0, page);
            }
            log.look(memory, 50);
            assertThat(log.owedSince()).isEqualTo(-1);
            for (int page = first; page < 300; page++) {
                log.sent(0, page, 100 + page);
            }
            for (int page = first; page < 300; page++) {
                assertThat(log.owedSince()).as("page %s is the oldest", page).isEqualTo(100 + page);
                memory.storeZero(0, page);
                log.look(memory, 60);
            }
            assertThat(log.owedSince()).isEqualTo(-1);
        }
    }
}
