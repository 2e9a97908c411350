// SPDX-License-Identifier: Apache-2.0

package io.godwit.coverage;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Reads JaCoCo's report, leaves out the {@link DeadBranches}, and says how many of the branches that can be taken were. One line per package, then the files that
 * miss most, then each line of source that misses one.
 */
final class BranchReport {
    /** What JaCoCo's XML is made of that is needed here; each of these stands in a tag of its own, and its attributes in this order. */
    private static final Pattern TAG = Pattern.compile("<(package|sourcefile) name=\"([^\"]+)\">"
            + "|<line nr=\"(\\d+)\" mi=\"\\d+\" ci=\"\\d+\" mb=\"(\\d+)\" cb=\"(\\d+)\"/>");

    /**
     * The branches of one line of source.
     *
     * @param file for errors
     * @param missed those that no test took, dead ones too
     * @param dead those that cannot be taken
     */
    record Line(String file, int number, int missed, int covered, int dead) {
        Line {
            if (dead > missed) {
                throw new IllegalStateException(
                        file + ", line " + number + ": a branch was taken that none should be able to take (" + missed
                                + " missed, " + dead + " held for dead); is the report of these classes?");
            }
        }

        int open() {
            return missed - dead;
        }
    }

    /** Branches, summed up. */
    record Sum(int covered, int open, int dead) {
        static Sum of(List<Line> lines) {
            return new Sum(
                    lines.stream().mapToInt(Line::covered).sum(),
                    lines.stream().mapToInt(Line::open).sum(),
                    lines.stream().mapToInt(Line::dead).sum());
        }

        int all() {
            return covered + open;
        }

        /** Of those that can be taken; a file without any is wholly covered. */
        double percent() {
            return all() == 0 ? 100 : 100.0 * covered / all();
        }
    }

    /** A file of source, "io/godwit/wire/Reader.java", with the lines that have branches. */
    record Source(String name, List<Line> lines) {
        String pack() {
            return name.substring(0, name.lastIndexOf('/'));
        }
    }

    private BranchReport() {}

    /**
     * @param args folder of the compiled classes, JaCoCo's XML, folder of the sources, percent that every package has to reach; exits with 1 if one doesn't
     */
    public static void main(String[] args) throws IOException {
        List<Source> sources = read(Files.readString(Path.of(args[1])), dead(Path.of(args[0])));
        double least = Double.parseDouble(args[3]);
        System.out.print(render(sources, Path.of(args[2])));
        List<String> below = packages(sources).entrySet().stream()
                .filter(one -> one.getValue().percent() < least)
                .map(Map.Entry::getKey)
                .toList();
        if (!below.isEmpty() || sources.isEmpty()) {
            System.err.printf(
                    Locale.ROOT,
                    "coverage: %s below %.1f %% of the branches%n",
                    sources.isEmpty() ? "there is no class in the report; all of it is" : below,
                    least);
            System.exit(1);
        }
    }

    /** Dead branches by file of source ("io/godwit/wire/Reader.java") and line. */
    static Map<String, Map<Integer, Integer>> dead(Path classes) throws IOException {
        Map<String, Map<Integer, Integer>> found = new HashMap<>();
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".class")).toList()) {
                ClassModel model = ClassFile.of().parse(file);
                String name = model.thisClass().asInternalName();
                if (!name.contains("/")) {
                    continue; // module-info
                }
                String source = name.substring(0, name.lastIndexOf('/') + 1) + DeadBranches.source(model);
                Map<Integer, Integer> lines = found.computeIfAbsent(source, _ -> new HashMap<>());
                DeadBranches.perLine(classes, model).forEach((line, count) -> lines.merge(line, count, Integer::sum));
            }
        }
        return found;
    }

    /** The files of a report that have branches. */
    static List<Source> read(String xml, Map<String, Map<Integer, Integer>> dead) {
        List<Source> sources = new ArrayList<>();
        String pack = "";
        Map<Integer, Integer> deadHere = Map.of();
        for (Matcher tag = TAG.matcher(xml); tag.find(); ) {
            if ("package".equals(tag.group(1))) {
                pack = tag.group(2);
            } else if (tag.group(1) != null) {
                String name = pack + "/" + tag.group(2);
                sources.add(new Source(name, new ArrayList<>()));
                deadHere = dead.getOrDefault(name, Map.of());
            } else {
                int number = Integer.parseInt(tag.group(3));
                int missed = Integer.parseInt(tag.group(4));
                int covered = Integer.parseInt(tag.group(5));
                if (missed + covered > 0) {
                    sources.getLast()
                            .lines()
                            .add(new Line(
                                    sources.getLast().name(),
                                    number,
                                    missed,
                                    covered,
                                    deadHere.getOrDefault(number, 0)));
                }
            }
        }
        sources.removeIf(source -> source.lines().isEmpty());
        return sources;
    }

    static Map<String, Sum> packages(List<Source> sources) {
        Map<String, List<Line>> lines = new TreeMap<>();
        for (Source source : sources) {
            lines.computeIfAbsent(source.pack().replace('/', '.'), _ -> new ArrayList<>())
                    .addAll(source.lines());
        }
        Map<String, Sum> sums = new TreeMap<>();
        lines.forEach((pack, all) -> sums.put(pack, Sum.of(all)));
        return sums;
    }

    /** @param root folder of the sources; a file that is not there is shown without its lines' texts */
    static String render(List<Source> sources, Path root) throws IOException {
        StringBuilder text = new StringBuilder();
        packages(sources)
                .forEach((pack, sum) -> text.append(String.format(
                        Locale.ROOT,
                        "%-20s %5d of %5d branches  %5.1f %%   (%d more are javac's own and cannot be taken)%n",
                        pack,
                        sum.covered(),
                        sum.all(),
                        sum.percent(),
                        sum.dead())));
        List<Source> missing = sources.stream()
                .filter(source -> Sum.of(source.lines()).open() > 0)
                .sorted(Comparator.comparingInt(
                                (Source source) -> -Sum.of(source.lines()).open())
                        .thenComparing(Source::name))
                .toList();
        text.append("\nMissed, most first:\n");
        for (Source source : missing) {
            Sum sum = Sum.of(source.lines());
            text.append(String.format(Locale.ROOT, "%4d of %4d  %s%n", sum.open(), sum.all(), source.name()));
            appendLines(text, source, root.resolve(source.name()));
        }
        return text.toString();
    }

    private static void appendLines(StringBuilder text, Source source, Path file) throws IOException {
        List<String> lines = Files.exists(file) ? Files.readAllLines(file) : List.of();
        for (Line line : source.lines()) {
            if (line.open() > 0) {
                String code = line.number() <= lines.size()
                        ? lines.get(line.number() - 1).strip()
                        : "";
                text.append(String.format(
                        Locale.ROOT,
                        "       %5d  %d of %d  %s%n",
                        line.number(),
                        line.open(),
                        line.open() + line.covered(),
                        code));
            }
        }
    }
}
