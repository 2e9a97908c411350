// SPDX-License-Identifier: Apache-2.0

package io.godwit.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.constant.ClassDesc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Brings a jar's class files from the form of Java 5 to that of Java 6, in which each method comes with its stack maps. The launcher does so with picocli's after a build: the AOT cache
 * takes none that are older, and each start would read and verify 180 classes anew. What a method does stays the same, instruction by instruction.
 */
final class NewClassFiles {
    private final ZipFile jar;
    private final ClassFile form;

    private NewClassFiles(ZipFile jar) {
        this.jar = jar;
        this.form = ClassFile.of(
                StackMapsOption.GENERATE_STACK_MAPS,
                ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(this::ofTheJar)
                        .orElse(ClassHierarchyResolver.defaultResolver())));
    }

    /** The jar that there is, and the file that the new one is written to. */
    public static void main(String[] args) throws IOException {
        int count = rewrite(Path.of(args[0]), Path.of(args[1]));
        System.out.println(count + " classes of " + args[0] + " have stack maps now");
    }

    /**
     * Writes the new jar.
     *
     * @return how many classes are different now
     * @throws IllegalArgumentException if the JVM would not take what became of one
     */
    static int rewrite(Path from, Path to) throws IOException {
        int count = 0;
        try (ZipFile jar = new ZipFile(from.toFile());
                ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(to))) {
            NewClassFiles files = new NewClassFiles(jar);
            for (ZipEntry entry : jar.stream().toList()) {
                byte[] bytes = files.read(entry);
                if (entry.getName().endsWith(".class")) {
                    ClassModel model = files.form.parse(bytes);
                    if (model.majorVersion() < ClassFile.JAVA_6_VERSION) {
                        bytes = files.renewed(model);
                        count++;
                    }
                }
                ZipEntry copy = new ZipEntry(entry.getName());
                copy.setTimeLocal(entry.getTimeLocal());
                out.putNextEntry(copy);
                out.write(bytes);
                out.closeEntry();
            }
        }
        return count;
    }

    private byte[] renewed(ClassModel model) {
        // A method that is only copied gets no stack maps: its elements go through our hands one by one.
        byte[] bytes = form.transformClass(
                model,
                ClassTransform.transformingMethodBodies((code, element) -> code.with(element))
                        .andThen((file, element) -> {
                            if (element instanceof ClassFileVersion) {
                                file.withVersion(ClassFile.JAVA_6_VERSION, 0);
                            } else {
                                file.with(element);
                            }
                        }));
        List<VerifyError> errors = form.verify(bytes);
        if (!errors.isEmpty()) {
            throw new IllegalArgumentException(
                    model.thisClass().asInternalName() + " would be refused: " + errors.getFirst());
        }
        return bytes;
    }

    private @Nullable InputStream ofTheJar(ClassDesc named) {
        String descriptor = named.descriptorString();
        ZipEntry entry = jar.getEntry(descriptor.substring(1, descriptor.length() - 1) + ".class");
        try {
            return entry == null ? null : jar.getInputStream(entry);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private byte[] read(ZipEntry entry) throws IOException {
        try (InputStream in = jar.getInputStream(entry)) {
            return in.readAllBytes();
        }
    }
}
