// SPDX-License-Identifier: Apache-2.0

package io.godwit.memory;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.godwit.sys.MappedMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Guest RAM is touched through checked accessors only: once it is registered with userfaultfd, a plain access could block the whole JVM. */
class MemoryApiTest {
    private static final JavaClasses CORE =
            new ClassFileImporter().importPath(Path.of(System.getProperty("godwit.classes")));

    @Test
    void noRawMemoryLeavesThePackage() {
        methods()
                .that()
                .areDeclaredInClassesThat()
                .resideInAPackage("io.godwit.memory")
                .and()
                .arePublic()
                .should()
                .notHaveRawReturnType(MemorySegment.class)
                .andShould()
                .notHaveRawReturnType(ByteBuffer.class)
                .check(CORE);
    }

    @Test
    void onlyThisPackageMapsMemory() {
        noClasses()
                .that()
                .resideOutsideOfPackages("io.godwit.memory", "io.godwit.sys")
                .should()
                .dependOnClassesThat()
                .areAssignableTo(MappedMemory.class)
                .check(CORE);
    }
}
