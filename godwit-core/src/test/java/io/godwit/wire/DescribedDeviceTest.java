// SPDX-License-Identifier: Apache-2.0

package io.godwit.wire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a stream says of its devices, read. */
class DescribedDeviceTest {
    @Test
    void sizesCountArraysAndSubsections() throws Exception {
        String text = """
                {"page_size": 4096, "devices": [
                  {"name": "a", "instance_id": 3, "vmsd_name": "a", "version": 1,
                   "fields": [{"name": "x", "array_len": 5, "type": "uint16", "size": 2},
                              {"name": "y", "type": "struct", "struct": {"fields": [{"size": 999}]}, "size": 7}],
                   "subsections": [{"vmsd_name": "a/sub", "version": 1, "fields": [{"size": 4}],
                                    "subsections": [{"vmsd_name": "a/sub/sub", "fields": [{"size": 1}]}]}]},
                  {"name": "b", "instance_id": 4294967295, "size": 6,
                   "fields": [{"name": "data", "size": 6, "type": "buffer"}]}]}""";

        assertThat(DescribedDevice.parse(text.getBytes(UTF_8), 0))
                .containsExactly(
                        new DescribedDevice("a", 3, 5 * 2 + 7 + (2 + 5 + 4 + 4) + (2 + 9 + 4 + 1)),
                        new DescribedDevice("b", 4294967295L, 6));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{",
                "{} {}",
                "{\"devices\": 1}",
                "{\"devices\": [1]}",
                "{\"devices\": [{\"name\": 1}]}",
                "{\"devices\": [{\"fields\": {}}]}",
                "{\"devices\": [{\"fields\": [{\"size\": -1}]}]}",
                "{\"devices\": [{\"fields\": [{\"size\": 1.5}]}]}",
                "{\"devices\": [{\"fields\": [{\"size\": 9999999999999999999}]}]}",
                "{\"devices\": [{\"fields\": [{\"size\": 999999999, \"array_len\": 999999999}]}]}",
                "{\"devices\": [{\"fields\": [{\"size\": 1099511627776}, {\"size\": 1}]}]}",
                "{\"devices\": [{\"subsections\": [[]]}]}"
            })
    void aDescriptionOfAnotherFormIsRefused(String text) {
        assertThatThrownBy(() -> DescribedDevice.parse(text.getBytes(UTF_8), 1000))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("the vmdesc is")
                .satisfies(e -> assertThat(((WireException) e).offset()).isBetween(1000L, 1000L + text.length()));
    }

    @Test
    void aDescriptionNestedWithoutEndIsRefused() {
        byte[] deep = "[".repeat(100_000).getBytes(UTF_8);

        assertThatThrownBy(() -> DescribedDevice.parse(
                        ByteBuffer.allocate(deep.length + 5)
                                .put("{\"a\":".getBytes(UTF_8))
                                .put(deep)
                                .array(),
                        0))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("deep");
    }
}
