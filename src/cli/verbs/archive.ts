import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { printMatches } from "../matches.ts";
import { countOption, type Level, levelOption } from "../option-parsers.ts";
import { tableLines } from "../table.ts";
import { archiveCondition, rateText, windowsText } from "./archive-condition.ts";
import { addArchiveControlVerbs } from "./archive-control.ts";

export function addArchiveVerbs(program: Command, cli: Cli): void {
  const archive = program.command("archive").description("the configured archives: look, ask, hold back");
  archive
    .command("list")
    .description("the archives and how they are asked")
    .addHelpText("after", examples("archive list"))
    .action(cli.verb(() => list(cli)));
  archive
    .command("echo")
    .description("ask whether the archive answers (C-ECHO)")
    .argument("<name>")
    .addHelpText("after", examples("archive echo vna"))
    .action(cli.verb((name: string) => echo(cli, name)));
  archive
    .command("find")
    .description("search an archive (C-FIND); answers hold patients' identifiers")
    .argument("<name>")
    .argument("[keys...]", "Keyword=value to match, Keyword alone to have it returned")
    .addOption(levelOption("what is listed"))
    .option("--max <n>", "stop after so many answers; 100000 unless told", countOption)
    .option("--yes-all", "everything the archive has is meant; needs --max")
    .addHelpText("after", examples("archive find vna StudyDate=20260101-20260131 ModalitiesInStudy=CT"))
    .action(cli.verb((name: string, keys: readonly string[], options: FindOptions) => find(cli, name, keys, options)));
  addArchiveControlVerbs(archive, cli);
}

async function list(cli: Cli): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const header = ["ARCHIVE", "KIND", "ADDRESS", "RETRIEVE", "ASSOCIATIONS", "STATE", "RATE", "WINDOWS"];
  await cli.printer.list(gateway.operations.listArchives(), (archives) =>
    tableLines(
      header,
      (async function* () {
        for await (const document of archives) {
          const { name, kind, address, retrieve, associations } = document;
          const how = [name, kind, address, retrieve ?? "", `${associations}`];
          yield [...how, archiveCondition(document), rateText(document), windowsText(document)];
        }
      })(),
    ),
  );
  return EXIT.fine;
}

async function echo(cli: Cli, name: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const answer = await gateway.operations.echoArchive(name, cli.world.stop);
  await cli.printer.document(answer, () => [`${name} answers, after ${answer.milliseconds} ms`]);
  return EXIT.fine;
}

interface FindOptions {
  readonly level: Level;
  readonly max?: number;
  readonly yesAll?: true;
}

async function find(cli: Cli, name: string, keys: readonly string[], options: FindOptions): Promise<ExitCode> {
  const { level, max: maximumAnswers, yesAll } = options;
  await using gateway = await openGateway(cli, "client");
  const matches = gateway.operations.findInArchive(name, keys, { level, maximumAnswers, yesAll }, cli.world.stop);
  return await printMatches(cli, matches);
}
