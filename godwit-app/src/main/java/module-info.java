// SPDX-License-Identifier: Apache-2.0

// The command line, the demo and the relay. Open, because picocli sets the fields of commands by reflection; nobody
// builds on this module. (Not a doc comment: Error Prone 2.52 takes one on an open module for a stray one.)
open module io.godwit.app {
    requires static org.jspecify;
    requires com.github.luben.zstd_jni; // optional to the core, used by it for multifd
    requires info.picocli;
    requires io.godwit.core;
    requires HdrHistogram;
    requires java.logging;
    requires java.management;
    requires jdk.unsupported; // sun.misc.Signal, by way of JLine: a signal that may be refused
    requires org.jline;
}
