// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import io.godwit.json.Json;
import io.godwit.json.JsonBool;
import io.godwit.json.JsonNumber;
import io.godwit.json.JsonString;
import io.godwit.protocol.MultifdParameters;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.TlsParameters;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** One parameter of migrate-set-parameters ({@code spec/qmp.md §6}). */
sealed interface MigrationParameter {
    String name();

    ArgumentType type();

    /** Refuses a value that is out of range, or that cannot be honoured. Its type was checked before. */
    void check(Json value) throws QmpError;

    /** One that has an effect; {@code slot} is its place in {@link Parameters}. */
    record Honoured(String name, int slot, long min, long max, ToLongFunction<Parameters> get)
            implements MigrationParameter {
        @Override
        public ArgumentType type() {
            return ArgumentType.INT;
        }

        @Override
        public void check(Json value) throws QmpError {
            range(name, value, min, max);
        }
    }

    /** One that has an effect on multifd. */
    record Whole(
            String name,
            long min,
            long max,
            ToLongFunction<MultifdParameters> get,
            BiFunction<MultifdParameters, Long, MultifdParameters> set)
            implements MigrationParameter {
        @Override
        public ArgumentType type() {
            return ArgumentType.INT;
        }

        @Override
        public void check(Json value) throws QmpError {
            range(name, value, min, max);
        }
    }

    /** One of some words, or if there are none any word, that has an effect on multifd; {@code whyNot} says why one of them cannot be set. */
    record Word(
            String name,
            List<String> words,
            Function<String, @Nullable String> whyNot,
            Function<MultifdParameters, String> get,
            BiFunction<MultifdParameters, String, MultifdParameters> set)
            implements MigrationParameter {
        @Override
        public ArgumentType type() {
            return ArgumentType.STRING;
        }

        @Override
        public void check(Json json) throws QmpError {
            String word = ((JsonString) json).value();
            if (!words.isEmpty() && !words.contains(word)) {
                throw QmpError.generic(
                        "parameter '" + name + "' must be one of " + String.join(", ", words) + ", got '" + word + "'");
            }
            String why = whyNot.apply(word);
            if (why != null) {
                throw QmpError.generic("parameter '" + name + "' cannot be '" + word + "': " + why);
            }
        }
    }

    /** A switch that has an effect. */
    record Switch(String name, Predicate<Parameters> get, BiFunction<Parameters, Boolean, Parameters> set)
            implements MigrationParameter {
        @Override
        public ArgumentType type() {
            return ArgumentType.BOOLEAN;
        }

        @Override
        public void check(Json value) {}
    }

    /** A word that has an effect on TLS; null stands for the empty one. */
    record Tls(String name, Function<TlsParameters, String> get, BiFunction<TlsParameters, String, TlsParameters> set)
            implements MigrationParameter {
        @Override
        public ArgumentType type() {
            return ArgumentType.STRING_OR_NULL;
        }

        @Override
        public void check(Json value) {}

        static String word(Json value) {
            return value instanceof JsonString(String word) ? word : "";
        }
    }

    /** A whole number without effect here: its default is accepted, so that scripts which set it to that still run. */
    record FixedInt(String name, long fixed, long min, long max, String why) implements MigrationParameter {
        @Override
        public ArgumentType type() {
            return ArgumentType.INT;
        }

        @Override
        public void check(Json value) throws QmpError {
            range(name, value, min, max);
            if (((JsonNumber) value).int64() != fixed) {
                throw withoutEffect(name, Json.of(fixed), why);
            }
        }
    }

    /** One of some words, or if there are none any word, without effect here. */
    record FixedWord(String name, String fixed, List<String> words, boolean nullable, String why)
            implements MigrationParameter {
        @Override
        public ArgumentType type() {
            return nullable ? ArgumentType.STRING_OR_NULL : ArgumentType.STRING;
        }

        @Override
        public void check(Json value) throws QmpError {
            if (!(value instanceof JsonString(String word))) {
                return; // null, which stands for the default
            }
            if (!words.isEmpty() && !words.contains(word)) {
                throw QmpError.generic(
                        "parameter '" + name + "' must be one of " + String.join(", ", words) + ", got '" + word + "'");
            }
            if (!word.equals(fixed)) {
                throw withoutEffect(name, Json.of(fixed), why);
            }
        }
    }

    /** A switch without effect here, which is off. */
    record FixedOff(String name, String why) implements MigrationParameter {
        @Override
        public ArgumentType type() {
            return ArgumentType.BOOLEAN;
        }

        @Override
        public void check(Json value) throws QmpError {
            if (value.equals(JsonBool.TRUE)) {
                throw withoutEffect(name, JsonBool.FALSE, why);
            }
        }
    }

    /** A list without effect here, which is empty and not shown. */
    record FixedEmpty(String name, String why) implements MigrationParameter {
        @Override
        public ArgumentType type() {
            return ArgumentType.ARRAY;
        }

        @Override
        public void check(Json value) throws QmpError {
            if (!value.equals(Json.array())) {
                throw withoutEffect(name, Json.array(), why);
            }
        }
    }

    private static void range(String name, Json value, long min, long max) throws QmpError {
        JsonNumber number = (JsonNumber) value;
        if (!number.fitsInt64() || number.int64() < min || number.int64() > max) {
            throw QmpError.generic(
                    "parameter '" + name + "' must lie between " + min + " and " + max + ", got " + number);
        }
    }

    private static QmpError withoutEffect(String name, Json fixed, String why) {
        return QmpError.generic("parameter '" + name + "' cannot be changed from " + fixed + ": " + why);
    }
}
