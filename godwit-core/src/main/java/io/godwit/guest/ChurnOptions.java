// SPDX-License-Identifier: Apache-2.0

package io.godwit.guest;

import io.godwit.page.Pages;

/**
 * What a {@link ChurnGuest} is like. The shares are of all pages but those of the ROM; what is neither hot nor cold stays zero.
 *
 * @param size bytes of {@code churn.ram}, a positive multiple of 4096, at most 2^46
 * @param writers threads that rewrite the hot pages, 0 to 1024; with none the hot pages are cold
 * @param writeRate pages per second that all writers together write, 0 for as many as they can
 * @param readers threads that read cold pages at random, 0 to 1024
 * @param readRate pages per second that all readers together read, 0 for as many as they can
 * @param hotPercent share of the pages that are rewritten all the time
 * @param coldPercent share of the pages that are written once, before the first start
 * @param payloadBytes how much of a written page is filled with incompressible bytes, header included: 48 to 4096, a multiple of 8; the
 *     rest is zero
 * @param seed chooses contents and order
 */
public record ChurnOptions(
        long size,
        int writers,
        long writeRate,
        int readers,
        long readRate,
        int hotPercent,
        int coldPercent,
        int payloadBytes,
        long seed) {

    private static final int MOST_THREADS = 1024;
    private static final long LARGEST = 1L << 46;

    public ChurnOptions {
        require(
                size > 0 && size % Pages.SIZE == 0 && size <= LARGEST,
                "the guest's size is a positive multiple of 4096 bytes up to 64 TiB, got " + size);
        require(writers >= 0 && writers <= MOST_THREADS, "a guest has 0 to 1024 writers, got " + writers);
        require(readers >= 0 && readers <= MOST_THREADS, "a guest has 0 to 1024 readers, got " + readers);
        require(
                writeRate == 0 || writeRate >= writers,
                "the write rate is 0 for unlimited or at least 1 page per second and writer, got " + writeRate + " for "
                        + writers + " writers");
        require(
                readRate == 0 || readRate >= readers,
                "the read rate is 0 for unlimited or at least 1 page per second and reader, got " + readRate + " for "
                        + readers + " readers");
        require(
                hotPercent >= 0 && coldPercent >= 0 && hotPercent <= 100 && coldPercent <= 100 - hotPercent,
                "the shares of hot and cold pages are percentages of together up to 100, got " + hotPercent + " and "
                        + coldPercent);
        require(
                payloadBytes >= ChurnPages.HEADER * Long.BYTES
                        && payloadBytes <= Pages.SIZE
                        && payloadBytes % Long.BYTES == 0,
                "the filled part of a page is a multiple of 8 from 48 to 4096 bytes, got " + payloadBytes);
    }

    private static void require(boolean met, String sentence) {
        if (!met) {
            throw new IllegalArgumentException(sentence);
        }
    }

    /** Two writers of together 20,000 pages (78 MiB) per second on half of the memory; 40 % cold, 10 % zero, no readers. */
    public static ChurnOptions of(long size) {
        return new ChurnOptions(size, 2, 20_000, 0, 0, 50, 40, Pages.SIZE, 1);
    }

    /** Nobody writes: all pages are filled once with incompressible bytes. */
    public static ChurnOptions idle(long size) {
        return new ChurnOptions(size, 0, 0, 0, 0, 0, 100, Pages.SIZE, 1);
    }

    public ChurnOptions withWriters(int count, long pagesPerSecond) {
        return new ChurnOptions(
                size, count, pagesPerSecond, readers, readRate, hotPercent, coldPercent, payloadBytes, seed);
    }

    public ChurnOptions withReaders(int count, long pagesPerSecond) {
        return new ChurnOptions(
                size, writers, writeRate, count, pagesPerSecond, hotPercent, coldPercent, payloadBytes, seed);
    }

    public ChurnOptions withShares(int hot, int cold) {
        return new ChurnOptions(size, writers, writeRate, readers, readRate, hot, cold, payloadBytes, seed);
    }

    public ChurnOptions withPayloadBytes(int bytes) {
        return new ChurnOptions(size, writers, writeRate, readers, readRate, hotPercent, coldPercent, bytes, seed);
    }

    public ChurnOptions withSeed(long value) {
        return new ChurnOptions(
                size, writers, writeRate, readers, readRate, hotPercent, coldPercent, payloadBytes, value);
    }
}
