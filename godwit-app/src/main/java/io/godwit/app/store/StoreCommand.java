// SPDX-License-Identifier: Apache-2.0

package io.godwit.app.store;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code godwit store}: parked VMs on disk. */
@Command(
        name = "store",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Lists, shows, checks, copies and removes parked VMs.",
            "A VM is a name below the root folder, or a path (with a '/') to its own folder."
        },
        subcommands = {
            ListCommand.class,
            ShowCommand.class,
            VerifyCommand.class,
            ExportCommand.class,
            ImportCommand.class,
            RemoveCommand.class,
            ConfirmCommand.class,
            DisownCommand.class,
            ArrivedCommand.class,
            TakeBackCommand.class
        },
        synopsisSubcommandLabel = "COMMAND",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:the VM is not there, is damaged, or is in a state that forbids it",
            "2:wrong arguments",
            "69:the disk is full or fails, or another process has the VM",
            "70:something that nobody expected"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  godwit store list",
            "  godwit store show web1 --json",
            "  godwit store verify /srv/parked/web1",
            "  godwit store export web1 --stream /backup/web1.qemu",
            "  godwit store import /backup/web1.qemu web2"
        })
public final class StoreCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    /** Made by picocli. */
    @SuppressWarnings("NullAway.Init") // picocli sets the fields
    public StoreCommand() {}

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "what is to be done with the store? "
                        + String.join(", ", spec.subcommands().keySet()));
    }
}
