// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.bench.qemu;

import io.godwit.app.term.Table;
import io.godwit.json.Json;
import io.godwit.json.JsonArray;
import io.godwit.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The figures of one scenario: a row per figure, a column per contender, the first of which the others are compared with. One thread. */
final class Sheet {
    private final List<String> contenders;
    private final Map<String, Map<String, List<Double>>> rows = new LinkedHashMap<>();

    Sheet(String... contenders) {
        this.contenders = List.of(contenders);
    }

    /** @param figure with its unit */
    void add(String figure, String contender, double value) {
        rows.computeIfAbsent(figure, _ -> new LinkedHashMap<>())
                .computeIfAbsent(contender, _ -> new ArrayList<>())
                .add(value);
    }

    /** Median, least and greatest; in brackets how many times the first contender's median it is. */
    String table() {
        List<String> heads = new ArrayList<>(List.of(""));
        heads.addAll(contenders);
        Table table = new Table(heads.toArray(String[]::new));
        rows.forEach((figure, values) -> {
            List<String> words = new ArrayList<>(List.of(figure));
            List<Double> first = values.get(contenders.getFirst());
            for (String contender : contenders) {
                List<Double> own = values.get(contender);
                boolean measure = contender.equals(contenders.getFirst());
                words.add(own == null ? "-" : cell(own) + (first == null || measure ? "" : ratio(own, first)));
            }
            table.row(words.toArray(String[]::new));
        });
        return table.toString();
    }

    private static String cell(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return show(median(sorted))
                + (sorted.size() == 1 ? "" : " (" + show(sorted.getFirst()) + ".." + show(sorted.getLast()) + ")");
    }

    private static String ratio(List<Double> own, List<Double> first) {
        double base = median(first);
        return base <= 0 ? "" : String.format(Locale.ROOT, " [%.2f]", median(own) / base);
    }

    JsonObject json() {
        Map<String, Json> figures = new LinkedHashMap<>();
        rows.forEach((figure, values) -> {
            Map<String, Json> columns = new LinkedHashMap<>();
            values.forEach((contender, runs) -> columns.put(
                    contender,
                    JsonObject.builder()
                            .put("median", median(runs))
                            .put(
                                    "runs",
                                    new JsonArray(runs.stream()
                                            .sorted()
                                            .<Json>map(Json::of)
                                            .toList()))
                            .build()));
            figures.put(figure, new JsonObject(columns));
        });
        return new JsonObject(figures);
    }

    static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    private static String show(double value) {
        return String.format(Locale.ROOT, value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
    }
}
