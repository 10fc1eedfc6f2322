import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { FOREIGN_FORMATS, type ForeignFormat } from "../../cohort/import/foreign-formats.ts";
import {
  cohortLines,
  findingOfCohortRow,
  type ImportedList,
  type ImportFinding,
  importList,
} from "../../cohort/import/import-list.ts";
import { loadOptOut } from "../../cohort/opt-out.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway, settingsOf } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { writeWholeFile } from "../write-whole-file.ts";

const HELP = `
Every row that cannot be used is told, with its column, and nothing is handed in then, unless --leave-out-bad says that the others go.
With --output the list is written as a cohort file instead of being handed in; with --dry-run neither is done.
Exit code 0 when all rows can be used, 3 when some were left out, 1 when nothing was done because of bad rows.
`;

interface ImportVerbOptions {
  readonly from: ForeignFormat;
  readonly project: string;
  readonly output?: string;
  readonly leaveOutBad?: true;
}

export function addCohortImportVerb(cohort: Command, cli: Cli): void {
  cohort
    .command("import")
    .description("hand in a list that was made for ADIT, XNAT's DQR or PIXL")
    .argument("<file>")
    .addOption(new Option("--from <format>", "whose list it is").choices([...FOREIGN_FORMATS]).makeOptionMandatory())
    .requiredOption("--project <name>", "the project that the studies are for")
    .option("-o, --output <file>", "write it as a cohort file")
    .option("--leave-out-bad", "go on without the rows that cannot be used")
    .addHelpText(
      "after",
      HELP +
        examples(
          "cohort import batch.xlsx --from adit-xlsx --project lung-ct --dry-run",
          "cohort import queries.csv --from dqr-csv --project lung-ct -o wanted.csv",
        ),
    )
    .action(cli.verb((file: string, options: ImportVerbOptions) => importCohort(cli, file, options)));
}

async function importCohort(cli: Cli, file: string, options: ImportVerbOptions): Promise<ExitCode> {
  const { from, project: name, output, leaveOutBad } = options;
  const project = (await settingsOf(cli)).projects.find((each) => each.name === name);
  if (project === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project: name });
  const { accessionNumbersUnique } = project;
  const rules = { project: name, accessionNumbersUnique, optOut: await loadOptOut(project.optOut) };
  const list = await importList(resolve(cli.world.workingFolder, file), { ...rules, format: from });
  const goesOn = (findings: readonly ImportFinding[]): boolean => findings.length === 0 || leaveOutBad === true;
  const handedIn =
    output === undefined && list.rows.length > 0
      ? await handIn(cli, list, name, goesOn)
      : { findings: list.findings, studies: list.rows.length, cohort: undefined };
  const { findings, studies, cohort } = handedIn;
  const isStopped = !goesOn(findings);
  const isWritten = output !== undefined && !isStopped && studies > 0;
  const written = isWritten ? resolve(cli.world.workingFolder, output) : undefined;
  if (written !== undefined && !cli.isRehearsal()) await write(written, list);
  const { sourceRows, unused } = list;
  const document = { project: name, from, sourceRows, studies, findings, unused, cohort, written };
  await cli.printer.document(document, () => lines(document, isStopped));
  if (isStopped || studies === 0) return EXIT.failed;
  return findings.length > 0 ? EXIT.partial : EXIT.fine;
}

async function write(path: string, list: ImportedList): Promise<void> {
  async function* pieces(): AsyncGenerator<string> {
    yield* cohortLines(list);
  }
  await writeWholeFile(path, pieces());
}

interface HandedIn {
  /** Those of the list, and of patients who may not be asked for: they are known to the store alone. */
  readonly findings: readonly ImportFinding[];
  /** That can be used. */
  readonly studies: number;
  readonly cohort: string | undefined;
}

/** By way of a file of our own, which goes at once. */
async function handIn(
  cli: Cli,
  list: ImportedList,
  project: string,
  goesOn: (findings: readonly ImportFinding[]) => boolean,
): Promise<HandedIn> {
  const folder = await mkdtemp(join(tmpdir(), "radferry-import-"));
  try {
    const path = join(folder, "cohort.csv");
    await write(path, list);
    await using gateway = await openGateway(cli, "client");
    const { operations } = gateway;
    const { refused, accepted: studies } = await operations.checkCohort(path, project);
    const findings = [...list.findings, ...refused.map(({ row, code }) => findingOfCohortRow(list, row, code))];
    const isWanted = studies > 0 && goesOn(findings);
    const submitted = isWanted ? await operations.submitCohort(path, project, {}) : undefined;
    return { findings: findings.sort((a, b) => a.row - b.row), studies, cohort: submitted?.cohort };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Outcome extends HandedIn, Pick<ImportedList, "sourceRows" | "unused"> {
  readonly written: string | undefined;
}

function* lines({ sourceRows, studies, findings, unused, cohort, written }: Outcome, isStopped: boolean) {
  yield `${counted(sourceRows, "row")}, ${counted(studies, "study")}, ${counted(findings.length, "finding")}`;
  for (const { message, code } of findings) yield `  ${message} [${code}]`;
  if (unused.length > 0) yield `not used: ${unused.join(", ")}`;
  if (!isStopped && studies === 0) yield "Nothing was handed in or written: no row can be used.";
  if (isStopped) yield "Nothing was handed in: correct the rows, or go on without them by --leave-out-bad.";
  if (cohort !== undefined) yield `handed in as cohort ${cohort}`;
  if (written !== undefined) yield `written to ${written}`;
}
