// SPDX-License-Identifier: Apache-2.0

package io.godwit;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.Timer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.BaseStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The dependency rules of ARCHITECTURE.md, read from the compiled classes of the core. */
class ArchitectureTest {

    /** Each package may use those before it; {@link #FORBIDDEN_BESIDES} takes some of them away again. */
    private static final List<String> LAYERS = List.of(
            "json",
            "page",
            "wire",
            "protocol",
            "pump",
            "sys",
            "memory",
            "net",
            "guest",
            "store",
            "engine",
            "qmp",
            "peer",
            "sim");

    private static final Map<String, Set<String>> FORBIDDEN_BESIDES = Map.of(
            "memory", Set.of("wire", "protocol"),
            "net", Set.of("wire", "protocol", "pump"),
            "store", Set.of("protocol", "net", "guest"),
            "sys", Set.copyOf(LAYERS));

    private static final JavaClasses CORE = new ClassFileImporter().importPath(Path.of(property("godwit.classes")));

    @Test
    void theRulesAreAboutTheClassesThatWereCompiled() {
        assertThat(CORE.containPackage("io.godwit.page")).isTrue();
        for (JavaClass c : CORE) {
            assertThat(LAYERS)
                    .as("%s: a new package needs a place in the order", c.getPackageName())
                    .anySatisfy(layer -> assertThat(inside(layer)).accepts(c));
        }
    }

    @ParameterizedTest
    @FieldSource("LAYERS")
    void aPackageDependsOnlyOnThoseBeforeIt(String layer) {
        List<String> forbidden = new ArrayList<>(LAYERS.subList(LAYERS.indexOf(layer) + 1, LAYERS.size()));
        forbidden.addAll(FORBIDDEN_BESIDES.getOrDefault(layer, Set.of()));
        forbidden.remove(layer);
        String[] packages = forbidden.stream().map(ArchitectureTest::of).toArray(String[]::new);

        check(noClasses()
                .that()
                .resideInAPackage(of(layer))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(packages));
    }

    @Test
    void theMachinesAndThePagePathDoNoInputOrOutputAndKnowNoThread() {
        DescribedPredicate<JavaClass> outside = resideInAnyPackage(
                        "java.io..", "java.net..", "java.nio.channels..", "java.nio.file..")
                .and(DescribedPredicate.not(describe("Serializable", c -> c.isEquivalentTo(Serializable.class))))
                .or(assignableTo(Thread.class));

        check(noClasses()
                .that()
                .resideInAnyPackage(of("protocol"), of("pump"))
                .should()
                .dependOnClassesThat(outside)
                .because("they also run in the simulator, where a migration is one thread without a network"));
    }

    @Test
    void theMachinesAndThePagePathHaveNoClockAndNoDice() {
        check(noClasses()
                .that()
                .resideInAnyPackage(of("protocol"), of("pump"))
                .should()
                .accessTargetWhere(calls(System.class, "nanoTime|currentTimeMillis")
                        .or(calls(Math.class, "random"))
                        .or(target(nameMatching("now")).and(target(owner(resideInAnyPackage("java.time..")))))
                        .or(target(nameMatching("system.*|tick.*")).and(target(owner(assignableTo("java.time.Clock")))))
                        .or(calls(ThreadLocalRandom.class, ".*"))
                        .or(calls(Random.class, "<init>"))
                        .or(calls(java.util.UUID.class, "randomUUID")))
                .because("time and randomness come in from outside, else a seed replays nothing"));
    }

    @Test
    void onlySysCallsNativeCode() {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(of("sys"))
                .should()
                .dependOnClassesThat()
                .haveNameMatching("java\\.lang\\.foreign\\.(Linker|SymbolLookup)(\\$.*)?")
                .orShould()
                .accessTargetWhere(calls(System.class, "load|loadLibrary")));
    }

    @Test
    void onlyTheClassesNamedAfterItKnowTheZstdLibrary() {
        check(noClasses()
                .that()
                .haveSimpleNameNotStartingWith("Zstd")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("com.github.luben..")
                .because("it may be missing: the others must load without it"));
    }

    @Test
    void onlyTheLoopsAndTheirNeighboursStartThreads() {
        check(noClasses()
                .that()
                .resideOutsideOfPackages(of("engine"), of("net"), of("qmp"), of("guest"))
                .should()
                .accessTargetWhere(target(nameMatching("<init>"))
                        .and(target(owner(assignableTo(Thread.class))))
                        .or(calls(Thread.class, "ofPlatform|ofVirtual|startVirtualThread"))
                        .or(calls(Executors.class, ".*"))
                        .or(target(nameMatching("<init>|commonPool"))
                                .and(target(owner(assignableTo(ExecutorService.class)))))
                        .or(calls(CompletableFuture.class, ".*Async"))
                        .or(target(nameMatching("parallel")).and(target(owner(assignableTo(BaseStream.class)))))
                        .or(target(nameMatching("parallelStream")))
                        .or(calls(Timer.class, "<init>"))));
    }

    @Test
    void nothingSleepsAndNothingInterrupts() {
        check(noClasses()
                .should()
                .accessTargetWhere(target(nameMatching("sleep|interrupt"))
                        .and(target(owner(assignableTo(Thread.class))))
                        .or(calls(java.util.concurrent.TimeUnit.class, "sleep"))
                        .or(target(nameMatching("shutdownNow"))
                                .and(target(owner(assignableTo(ExecutorService.class))))))
                .because("an interrupt closes NIO channels under everybody, and a sleep is a wait that no event ends"));
    }

    @Test
    void theCorePrintsNothing() {
        check(noClasses()
                .should()
                .accessTargetWhere(calls(System.class, "out|err"))
                .orShould()
                .accessTargetWhere(
                        target(nameMatching("printStackTrace")).and(target(owner(assignableTo(Throwable.class))))));
    }

    @Test
    void everyPackageSaysWhatItIsFor() {
        check(classes()
                .that()
                .haveSimpleName("package-info")
                .should()
                .beAnnotatedWith("org.jspecify.annotations.NullMarked"));
        for (String layer : LAYERS) {
            assertThat(CORE.stream().filter(inside(layer)).map(JavaClass::getSimpleName))
                    .as("classes of io.godwit.%s", layer)
                    .contains("package-info");
        }
    }

    private static DescribedPredicate<JavaAccess<?>> calls(Class<?> type, String names) {
        return target(nameMatching(names)).and(target(owner(assignableTo(type))));
    }

    private static DescribedPredicate<JavaClass> inside(String layer) {
        return resideInAnyPackage(of(layer));
    }

    private static String of(String layer) {
        return "io.godwit." + layer + "..";
    }

    private static void check(ArchRule rule) {
        // A package may still be empty: the rule then waits for its first class.
        rule.allowEmptyShould(true).check(CORE);
    }

    private static String property(String name) {
        String value = System.getProperty(name);
        assertThat(value).as("-D%s, which the build sets", name).isNotNull();
        return value;
    }
}
