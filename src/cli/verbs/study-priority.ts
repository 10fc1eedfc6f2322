import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { priorityArgument } from "../option-parsers.ts";

export function addPriorityVerb(study: Command, cli: Cli): void {
  study
    .command("priority")
    .description("make a study that is not done more or less urgent")
    .argument("<id>")
    .argument("<priority>", "1 to 5, 5 first", priorityArgument)
    .addHelpText("after", examples("study priority ID 5"))
    .action(cli.verb((id: string, priority: number) => prioritise(cli, id, priority)));
}

async function prioritise(cli: Cli, id: string, priority: number): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const { changed } = await gateway.operations.prioritiseStudy(id, priority);
  const line =
    changed === 0 ? "nothing to change: it has that priority, or it is done" : `it has priority ${priority} now`;
  await cli.printer.document({ id, priority, changed }, () => [line]);
  return EXIT.fine;
}
