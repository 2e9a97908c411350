// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.net.HandedDescriptor;
import io.godwit.sys.Descriptor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The descriptors that one client has handed over, as {@code getfd} and {@code closefd} of QEMU's monitor have them: those that came with the last bytes wait for the
 * command that takes them, and are then known by a name until a migration uses them up. Here they are the connection's, and closed with it; QEMU keeps names beyond that.
 * Thread-safe.
 */
final class ClientDescriptors implements AutoCloseable {
    /** Names at once: each is one of the descriptors that the whole process may have. */
    static final int MOST_NAMES = 64;

    private final Map<String, HandedDescriptor> named = new HashMap<>();
    private final Set<HandedDescriptor> owned = new HashSet<>();
    private List<HandedDescriptor> waiting = List.of();
    private boolean closed;

    ClientDescriptors() {}

    /** They came with bytes that were just read; what came before them and no command has taken is closed, as QEMU does it. */
    synchronized void arrived(List<Descriptor> descriptors) {
        List<HandedDescriptor> fresh =
                descriptors.stream().map(HandedDescriptor::new).toList();
        discard(waiting);
        waiting = fresh;
        owned.addAll(fresh);
        if (closed) {
            close();
        }
    }

    /** What waits is for the command that was just read. */
    synchronized List<HandedDescriptor> claim() {
        List<HandedDescriptor> claimed = waiting;
        waiting = List.of();
        return claimed;
    }

    /** Closes those that got no name. */
    synchronized void discard(List<HandedDescriptor> claimed) {
        for (HandedDescriptor one : claimed) {
            if (!named.containsValue(one)) {
                owned.remove(one);
                one.close();
            }
        }
    }

    /** Gives what came with a command its name; one that had it before is closed. */
    synchronized void name(String name, List<HandedDescriptor> claimed) throws QmpError {
        if (name.isEmpty() || Character.isDigit(name.charAt(0))) {
            throw QmpError.generic("'fdname' must not be empty nor begin with a digit, got '" + name + "'");
        }
        if (claimed.size() != 1) {
            throw QmpError.generic(
                    claimed.isEmpty()
                            ? "no descriptor came with the command: send it along, as SCM_RIGHTS over a unix socket"
                            : claimed.size()
                                    + " descriptors came with the command, and a name is for one: send that alone");
        }
        if (named.size() >= MOST_NAMES && !named.containsKey(name)) {
            throw QmpError.generic(
                    MOST_NAMES + " descriptors have names on this connection, and no more may: use them, or"
                            + " let go of some with closefd");
        }
        HandedDescriptor former = named.put(name, claimed.getFirst());
        if (former != null) {
            discard(List.of(former));
        }
    }

    synchronized void closeNamed(String name) throws QmpError {
        HandedDescriptor descriptor = find(name);
        named.remove(name);
        discard(List.of(descriptor));
    }

    /** The descriptor of that name, which keeps it until it is {@link #used}. */
    synchronized HandedDescriptor find(String name) throws QmpError {
        HandedDescriptor descriptor = named.get(name);
        if (descriptor == null) {
            throw QmpError.generic("no descriptor '" + name + "' was handed over on this connection, or it was used"
                    + " already: hand one over with getfd");
        }
        return descriptor;
    }

    /** It is somebody else's from now on. */
    synchronized void used(HandedDescriptor descriptor) {
        owned.remove(descriptor);
        named.values().remove(descriptor);
    }

    /** How many there are, with a name or without. */
    synchronized int size() {
        return owned.size();
    }

    /** Closes all that were not used, now and later. */
    @Override
    public synchronized void close() {
        closed = true;
        new ArrayList<>(owned).forEach(HandedDescriptor::close);
        owned.clear();
        named.clear();
        waiting = List.of();
    }
}
