// SPDX-License-Identifier: Apache-2.0

package io.godwit.coverage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.Instruction;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.ArrayLoadInstruction;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.ExceptionCatch;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LabelTarget;
import java.lang.classfile.instruction.LineNumber;
import java.lang.classfile.instruction.LoadInstruction;
import java.lang.classfile.instruction.LookupSwitchInstruction;
import java.lang.classfile.instruction.NewObjectInstruction;
import java.lang.classfile.instruction.StoreInstruction;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.classfile.instruction.TableSwitchInstruction;
import java.lang.classfile.instruction.TypeCheckInstruction;
import java.lang.reflect.AccessFlag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Branches in a class file that no input can take, because javac wrote them and not the author. JaCoCo counts them as missed. There are three:
 *
 * <ul>
 *   <li>A primitive component of a record pattern, which matches whatever it is ({@code case PostcopyActive(boolean ended)}), is "if (true)": its other side.
 *   <li>{@code case A _, B _} tests for A, then for B, though the switch came here for one of the two: the side on which it is not B.
 *   <li>A switch statement over an enum that names all of its constants has a default nevertheless.
 * </ul>
 *
 * What looks like one of them and is not exactly of that shape is not taken for one: too few are found rather than too many.
 */
final class DeadBranches {
    private final Path classes;
    private final List<CodeElement> code;
    private final Map<Label, Integer> places = new HashMap<>();
    private final Set<Label> entered = new HashSet<>();

    private DeadBranches(Path classes, CodeModel method) {
        this.classes = classes;
        this.code = method.elementList();
        for (int at = 0; at < code.size(); at++) {
            switch (code.get(at)) {
                case LabelTarget target -> places.put(target.label(), at);
                case BranchInstruction branch -> entered.add(branch.target());
                case TableSwitchInstruction table -> enter(table.defaultTarget(), table.cases());
                case LookupSwitchInstruction lookup -> enter(lookup.defaultTarget(), lookup.cases());
                case ExceptionCatch handler -> entered.add(handler.handler());
                default -> {}
            }
        }
    }

    private void enter(Label otherwise, List<SwitchCase> cases) {
        entered.add(otherwise);
        cases.forEach(one -> entered.add(one.target()));
    }

    /** How many stand on which source line of a class. Classes that it names are looked up in the folder {@code classes}. */
    static Map<Integer, Integer> perLine(Path classes, ClassModel model) {
        Map<Integer, Integer> lines = new HashMap<>();
        for (MethodModel method : model.methods()) {
            method.code().ifPresent(body -> new DeadBranches(classes, body).count(lines));
        }
        return lines;
    }

    private void count(Map<Integer, Integer> lines) {
        int line = 0;
        for (int at = 0; at < code.size(); at++) {
            CodeElement element = code.get(at);
            if (element instanceof LineNumber number) {
                line = number.line();
            }
            boolean dead = switch (element) {
                case BranchInstruction branch -> alwaysTrue(at, branch) || lastOfItsCase(at, branch);
                case TableSwitchInstruction table -> nothingLeft(at, table.defaultTarget(), table.cases());
                case LookupSwitchInstruction lookup -> nothingLeft(at, lookup.defaultTarget(), lookup.cases());
                default -> false;
            };
            if (dead) {
                lines.merge(line, 1, Integer::sum);
            }
        }
    }

    /** The instruction before, if there is no other way to the one at {@code at}; else -1. */
    private int before(int at) {
        for (int i = at - 1; i >= 0; i--) {
            if (code.get(i) instanceof Instruction) {
                return i;
            }
            if (code.get(i) instanceof LabelTarget target && entered.contains(target.label())) {
                return -1;
            }
        }
        return -1;
    }

    /** The {@code count} instructions that are executed first from there; fewer if the method ends. */
    private List<Instruction> from(int at, int count) {
        List<Instruction> found = new ArrayList<>();
        for (int i = at; i < code.size() && found.size() < count; i++) {
            if (code.get(i) instanceof Instruction instruction) {
                found.add(instruction);
            }
        }
        return found;
    }

    private boolean alwaysTrue(int at, BranchInstruction branch) {
        int condition = before(at);
        return branch.opcode() == Opcode.IFEQ
                && condition >= 0
                && code.get(condition) instanceof ConstantInstruction constant
                && constant.opcode() == Opcode.ICONST_1;
    }

    /** {@code if (!(selector instanceof B)) { index = n; continue the switch; }}, where the selector is the switch's own. */
    private boolean lastOfItsCase(int at, BranchInstruction branch) {
        int test = before(at);
        if (test < 0 || !(code.get(test) instanceof TypeCheckInstruction check)) {
            return false;
        }
        int load = before(test);
        if (check.opcode() != Opcode.INSTANCEOF
                || branch.opcode() != Opcode.IFEQ
                || load < 0
                || !(code.get(load) instanceof LoadInstruction selector)) {
            return false;
        }
        List<Instruction> otherwise = from(place(branch.target()), 3);
        return otherwise.size() == 3
                && otherwise.get(0) instanceof ConstantInstruction
                && otherwise.get(1) instanceof StoreInstruction index
                && otherwise.get(2) instanceof BranchInstruction again
                && again.opcode() == Opcode.GOTO
                && isTypeSwitch(from(place(again.target()), 3), selector.slot(), index.slot());
    }

    private static boolean isTypeSwitch(List<Instruction> found, int selector, int index) {
        return found.size() == 3
                && found.get(0) instanceof LoadInstruction first
                && first.slot() == selector
                && found.get(1) instanceof LoadInstruction second
                && second.slot() == index
                && found.get(2) instanceof InvokeDynamicInstruction call
                && call.name().equalsString("typeSwitch");
    }

    private int place(Label label) {
        return places.getOrDefault(label, code.size());
    }

    /** Whether all constants of the enum that is switched over have a case, and the default is a way of its own that JaCoCo counts. */
    private boolean nothingLeft(int at, Label otherwise, List<SwitchCase> cases) {
        int ordinal = before(at);
        if (ordinal >= 0 && code.get(ordinal) instanceof ArrayLoadInstruction) {
            // An enum of another file: its constants' numbers go through a table of javac's.
            ordinal = before(ordinal);
        }
        if (ordinal < 0
                || !(code.get(ordinal) instanceof InvokeInstruction call)
                || !call.name().equalsString("ordinal")
                || cases.size() != constants(call.owner().asInternalName())) {
            return false;
        }
        List<Instruction> first = from(place(otherwise), 1);
        // That one JaCoCo leaves out by itself.
        boolean thrown = !first.isEmpty()
                && first.getFirst() instanceof NewObjectInstruction made
                && made.className().asInternalName().equals("java/lang/MatchException");
        return !thrown && cases.stream().noneMatch(one -> one.target().equals(otherwise));
    }

    /** Constants of an enum of ours, or -1 of any other class. */
    private int constants(String name) {
        ClassModel model = parse(classes.resolve(name + ".class"));
        return model == null
                ? -1
                : (int) model.fields().stream()
                        .filter(field -> field.flags().has(AccessFlag.ENUM))
                        .count();
    }

    private static @Nullable ClassModel parse(Path file) {
        try {
            return Files.exists(file) ? ClassFile.of().parse(file) : null;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    /** The file that a class was compiled from, without folders. */
    static String source(ClassModel model) {
        return model.findAttribute(Attributes.sourceFile())
                .map(file -> file.sourceFile().stringValue())
                .orElseThrow(() -> new IllegalArgumentException(
                        model.thisClass().asInternalName() + " was compiled without the name of its source"));
    }
}
