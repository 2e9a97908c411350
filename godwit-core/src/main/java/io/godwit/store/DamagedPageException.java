// SPDX-License-Identifier: Apache-2.0

package io.godwit.store;

import java.nio.file.Path;

/** A page on disk is not the one that was received. It was not handed out. */
public final class DamagedPageException extends StoreException {
    private static final long serialVersionUID = 1;

    private final String block;
    private final long page;
    private final transient Path file;

    public DamagedPageException(String block, long page, Path file) {
        super(
                Kind.CORRUPT,
                "page " + page + " of RAM block '" + block + "' is damaged: the bytes at " + (page << 12) + " of "
                        + file + " do not match their digest; restore that file from a copy, or check the disk");
        this.block = block;
        this.page = page;
        this.file = file;
    }

    public String block() {
        return block;
    }

    /** Index of the page in its block. */
    public long page() {
        return page;
    }

    public Path file() {
        return file;
    }
}
