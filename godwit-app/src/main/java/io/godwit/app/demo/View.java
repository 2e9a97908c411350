// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.demo;

import io.godwit.app.lab.Board;
import io.godwit.app.lab.Happening.Entry;
import java.util.List;

/** How a run is shown. All calls come from one thread. */
interface View {
    /** Shows what has happened since the last call, maybe nothing; called at least ten times a second. */
    void show(List<Entry> entries);

    /** Shows what it all came to; the last call. */
    void end(Report report);

    /** Shows nothing until the end, then the report as one JSON document. */
    record Document(java.io.PrintWriter out, Board board) implements View {
        @Override
        public void show(List<Entry> entries) {
            // The document has them all.
        }

        @Override
        public void end(Report report) {
            out.println(ReportJson.of(report, board.entriesFrom(0)).toText(io.godwit.json.JsonFormat.PRETTY));
            out.flush();
        }
    }
}
