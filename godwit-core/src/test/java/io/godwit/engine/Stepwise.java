// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

import io.godwit.pump.StorageException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/** What a store does, step by step: a test can hold up each kind of step, and make each fail; what was done is written down. Thread-safe. */
abstract class Stepwise {
    /** What can be held up, or fail. */
    enum Step {
        RECEIVE,
        WRITE,
        READ,
        HAND_OVER,
        CHECKPOINT,
        MEND,
        PARK,
        SETTLE,
        LEAVE,
        STAY,
        GONE
    }

    private final Map<Step, String> failing = Collections.synchronizedMap(new EnumMap<>(Step.class));
    private final Map<Step, CompletableFuture<Void>> held = Collections.synchronizedMap(new EnumMap<>(Step.class));
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());

    void fail(Step step, String why) {
        failing.put(step, why);
    }

    void succeed(Step step) {
        failing.remove(step);
    }

    void hold(Step step) {
        held.put(step, new CompletableFuture<>());
    }

    void release(Step step) {
        Objects.requireNonNull(held.remove(step)).complete(null);
    }

    /** Whoever still waits goes on: a test that fails must not wait for ever. */
    void releaseAll() {
        List.copyOf(held.keySet()).forEach(this::release);
    }

    /** What was done, in order. */
    List<String> log() {
        return List.copyOf(log);
    }

    final void note(String done) {
        log.add(done);
    }

    /** It was made to fail. */
    abstract void failed(Step step);

    /** Something of that kind is about to be done: waits, or fails, as the test wants it. */
    final void step(Step step) {
        CompletableFuture<Void> gate = held.get(step);
        if (gate != null) {
            log.add(step + " waits");
            gate.join();
        }
        String why = failing.get(step);
        if (why != null) {
            log.add(step + " fails");
            failed(step);
            throw new StorageException(why);
        }
        if (step != Step.WRITE && step != Step.READ) {
            log.add(step.toString());
        }
    }
}
