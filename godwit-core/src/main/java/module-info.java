// SPDX-License-Identifier: Apache-2.0

/** Godwit's engine as a library: the JDK and nothing else, but for zstd-jni where multifd is to speak zstd, and the system's libxxhash where it is there. */
module io.godwit.core {
    requires static transitive org.jspecify;
    requires jdk.net;
    requires static com.github.luben.zstd_jni;

    exports io.godwit.json;
    exports io.godwit.page;
    exports io.godwit.wire;
    exports io.godwit.protocol;
    exports io.godwit.pump;
    exports io.godwit.sys;
    exports io.godwit.memory;
    exports io.godwit.net;
    exports io.godwit.guest;
    exports io.godwit.store;
    exports io.godwit.engine;
    exports io.godwit.qmp;
    exports io.godwit.peer;
    exports io.godwit.sim;
    exports io.godwit.sim.check;
}
