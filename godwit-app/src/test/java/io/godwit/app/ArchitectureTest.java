// SPDX-License-Identifier: Apache-2.0

package io.godwit.app;

import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The dependency rules of ARCHITECTURE.md, read from the compiled classes of the application. */
class ArchitectureTest {
    private static final String ROOT = "io.godwit.app";

    private static final JavaClasses APP =
            new ClassFileImporter().importPath(Path.of(Objects.requireNonNull(System.getProperty("godwit.classes"))));

    @Test
    void theRulesAreAboutTheClassesThatWereCompiled() {
        assertThat(APP.contain(Main.class)).isTrue();
    }

    @Test
    void packagesDoNotCallEachOtherSideways() {
        check(classes()
                .should(new ArchCondition<>("call only their own package, term, vm and lab (cli and Main: all)") {
                    @Override
                    public void check(JavaClass item, ConditionEvents events) {
                        for (Dependency d : item.getDirectDependenciesFromSelf()) {
                            String from = part(item);
                            String to = part(d.getTargetClass());
                            boolean fine = to.equals(from) || SHARED.contains(to) || to.equals(OUTSIDE);
                            boolean front = from.isEmpty() || (from.equals("cli") && !to.isEmpty());
                            if (!fine && !front) {
                                events.add(SimpleConditionEvent.violated(item, d.getDescription()));
                            }
                        }
                    }
                }));
    }

    @Test
    void nothingSleepsAndNothingInterrupts() {
        check(noClasses()
                .should()
                .accessTargetWhere(target(nameMatching("sleep|interrupt"))
                        .and(target(owner(assignableTo(Thread.class).or(assignableTo(TimeUnit.class))))))
                .because("an interrupt closes NIO channels under everybody, and a sleep is a wait that no event ends"));
    }

    @Test
    void nativeCodeIsTheCoresBusiness() {
        check(noClasses().should().dependOnClassesThat(linker()));
    }

    @Test
    void everyPackageIsNullMarked() {
        check(classes()
                .that()
                .haveSimpleName("package-info")
                .should()
                .beAnnotatedWith("org.jspecify.annotations.NullMarked"));
        for (JavaClass c : APP) {
            assertThat(APP.contain(c.getPackageName() + ".package-info"))
                    .as("%s has a package-info", c.getPackageName())
                    .isTrue();
        }
    }

    /** Packages that serve the others. */
    private static final Set<String> SHARED = Set.of("term", "vm", "lab");

    private static final String OUTSIDE = "-";

    /** The app's package that the class belongs to: "" for the entry point's own, {@link #OUTSIDE} for one that isn't ours. */
    private static String part(JavaClass c) {
        String name = c.getBaseComponentType().getPackageName();
        if (!name.equals(ROOT) && !name.startsWith(ROOT + ".")) {
            return OUTSIDE;
        }
        String rest = name.substring(ROOT.length());
        return rest.isEmpty() ? "" : rest.substring(1).split("\\.", 2)[0];
    }

    private static DescribedPredicate<JavaClass> linker() {
        return DescribedPredicate.describe(
                "the foreign-function linker", c -> c.getName().startsWith("java.lang.foreign.Linker"));
    }

    private static void check(ArchRule rule) {
        rule.allowEmptyShould(true).check(APP);
    }
}
