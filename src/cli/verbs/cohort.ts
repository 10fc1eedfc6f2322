import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { CohortDocument, StatusDocument, SubmitDocument } from "../../operations/documents.ts";
import type { Cli } from "../cli.ts";
import { areCounted, counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { instantOption, priorityArgument } from "../option-parsers.ts";
import { isAllGood, problemLinesOf, stateRows, stateSummary } from "../state-words.ts";
import { alignedLines, tableLines } from "../table.ts";
import { writeWholeFile } from "../write-whole-file.ts";
import { addCheckVerb } from "./cohort-check.ts";
import { addEvidenceOfCohortVerb } from "./cohort-evidence.ts";
import { addCohortImportVerb } from "./cohort-import.ts";
import { addPlanVerb } from "./cohort-plan.ts";
import { addSearchVerb } from "./cohort-search.ts";
import { addStandingVerbs } from "./cohort-standing.ts";
import { submitAndWait } from "./submit-and-wait.ts";

const SUBMIT_HELP = `
The list has a header, and in each row study_instance_uid or accession_number; other columns come back with the export.
Rows that cannot be used are refused, each with its column and reason; the others run.
Without --wait: exit code 0 when at least one row was accepted, 1 when all were refused.
With --wait: 0 when every accepted row is delivered or excluded, 3 when some are not, 1 when all rows were refused.
While a service runs on the same home it does the work; else --wait works by itself until the cohort is done.
`;

export function addCohortVerbs(program: Command, cli: Cli): void {
  const cohort = program.command("cohort").description("lists of wanted studies: hand in, follow, export");
  cohort
    .command("submit")
    .description("hand in a list of wanted studies")
    .argument("<path>", "CSV, XLSX or Parquet; or the folder of an OMOP extract")
    .requiredOption("--project <name>", "the project that the studies are for")
    .option("--start-at <time>", "have its studies wait until then, as 2026-11-30T20:00:00+01:00", instantOption)
    .option("--wait", "stay until every study is done, and do the work if no service runs")
    .addHelpText("after", SUBMIT_HELP + examples("cohort submit wanted.csv --project lung-ct --wait"))
    .action(cli.verb((file: string, options: SubmitOptions) => submit(cli, file, options)));
  addCohortImportVerb(cohort, cli);
  addSearchVerb(cohort, cli);
  addStandingVerbs(cohort, cli);
  addPlanVerb(cohort, cli);
  cohort
    .command("status")
    .description("how far a cohort has come; without ID: all cohorts")
    .argument("[id]")
    .option("--jobs", "with every study")
    .addHelpText("after", examples("cohort status", "cohort status ID --jobs --json"))
    .action(cli.verb((id: string | undefined, options: StatusOptions) => status(cli, id, options)));
  addCheckVerb(cohort, cli);
  addEvidenceOfCohortVerb(cohort, cli);
  cohort
    .command("export")
    .description("the submitted rows with what became of them")
    .argument("<id>")
    .requiredOption("-o, --output <file>", "where to write it; - for stdout")
    .addOption(
      new Option("--format <format>", "csv, or what was delivered by OMOP procedure, as PIXL's IMAGE_LINKER.parquet")
        .choices(["csv", "pixl-linker"])
        .default("csv"),
    )
    .addHelpText(
      "after",
      examples(
        "cohort export ID -o accounted.csv",
        "cohort export ID -o - | head",
        "cohort export ID --format pixl-linker -o IMAGE_LINKER.parquet",
      ),
    )
    .action(cli.verb((id: string, options: ExportOptions) => exportTo(cli, id, options)));
  cohort
    .command("retry")
    .description("queue again what failed, was not found, kept back or cancelled")
    .argument("<id>")
    .addHelpText("after", examples("cohort retry ID"))
    .action(cli.verb((id: string) => retry(cli, id)));
  cohort
    .command("cancel")
    .description("cancel what is not done yet; studies that other cohorts want go on")
    .argument("<id>")
    .addHelpText("after", examples("cohort cancel ID"))
    .action(cli.verb((id: string) => cancel(cli, id)));
  cohort
    .command("priority")
    .description("make what is not done more or less urgent; other cohorts' studies are not made less")
    .argument("<id>")
    .argument("<priority>", "1 to 5, 5 first", priorityArgument)
    .addHelpText("after", examples("cohort priority ID 5"))
    .action(cli.verb((id: string, priority: number) => prioritise(cli, id, priority)));
  cohort
    .command("list")
    .description("every cohort that was handed in")
    .addHelpText("after", examples("cohort list"))
    .action(cli.verb(() => list(cli)));
}

interface SubmitOptions {
  readonly project: string;
  readonly wait?: true;
  readonly startAt?: number;
}

async function submit(cli: Cli, file: string, { project, wait, startAt }: SubmitOptions): Promise<ExitCode> {
  const path = resolve(cli.world.workingFolder, file);
  const options = startAt === undefined ? {} : { startAtMs: startAt };
  if (wait && !cli.isRehearsal()) {
    const { submitted, status } = await submitAndWait(cli, path, project, options);
    await cli.printer.document({ ...submitted, ...status }, () => [...submitLines(submitted), ...statusLines(status)]);
    if (isAllRefused(submitted)) return EXIT.failed;
    return isAllGood(status) ? EXIT.fine : EXIT.partial;
  }
  await using gateway = await openGateway(cli, "client");
  const submitted = await gateway.operations.submitCohort(path, project, options);
  const next = `radferry serve works on it, and radferry cohort status ${submitted.cohort} tells how far it is`;
  const isQueued = submitted.accepted > 0 && !cli.isRehearsal();
  await cli.printer.document(submitted, () => [...submitLines(submitted), ...(isQueued ? [next] : [])]);
  return isAllRefused(submitted) ? EXIT.failed : EXIT.fine;
}

function isAllRefused({ rows, accepted }: SubmitDocument): boolean {
  return rows > 0 && accepted === 0;
}

const LEFT_OUT: ReadonlySet<string> = new Set(["PATIENT_OPTED_OUT", "PATIENT_WITHDRAWN"]);

/** Findings of one cohort that are shown to people; `--json` and the export have them all. */
const SHOWN_FINDINGS = 50;

function* submitLines({ cohort, project, rows, accepted, joined, refused }: SubmitDocument): Generator<string> {
  yield `cohort ${cohort} of project ${project}: ${counted(rows, "row")}, ${accepted} accepted, ${joined} of them known already`;
  const leftOut = new Set(refused.flatMap(({ code, row }) => (LEFT_OUT.has(code) ? [row] : []))).size;
  if (leftOut > 0)
    yield `  ${leftOut} of the rows are of patients who opted out or were withdrawn: they are not asked for`;
  // The message names row and column.
  for (const { code, message } of refused.slice(0, SHOWN_FINDINGS)) yield `  ${message} [${code}]`;
  if (refused.length > SHOWN_FINDINGS) yield `  and ${refused.length - SHOWN_FINDINGS} more: see cohort export`;
  if (refused.length > 0) yield "  rows are counted below the heading: row 1 is a spreadsheet's row 2";
}

interface StatusOptions {
  readonly jobs?: true;
}

async function status(cli: Cli, id: string | undefined, { jobs }: StatusOptions): Promise<ExitCode> {
  const { printer } = cli;
  await using gateway = await openGateway(cli, "client");
  const { operations } = gateway;
  if (id !== undefined) {
    // People are told what to do about failures, so the studies are looked at for them too.
    const document = await operations.cohortStatus(id, { jobs: jobs === true || !printer.json });
    await printer.document(document, () => statusLines(document, jobs));
    return EXIT.fine;
  }
  async function* all(): AsyncGenerator<StatusDocument> {
    for await (const { cohort } of operations.listCohorts()) {
      yield await operations.cohortStatus(cohort, { jobs: jobs === true });
    }
  }
  await printer.list(all(), (documents) =>
    tableLines(["COHORT", "PROJECT", "STUDIES", "DONE", "STATES"], statusTable(documents)),
  );
  return EXIT.fine;
}

async function* statusTable(documents: AsyncIterable<StatusDocument>): AsyncGenerator<readonly string[]> {
  for await (const document of documents) {
    const { cohort, project, total, done } = document;
    yield [cohort, project, `${total}`, done ? "yes" : "no", stateSummary(document)];
  }
}

function* statusLines(document: StatusDocument, withJobs = false): Generator<string> {
  const { cohort, project, total, done, jobs = [] } = document;
  yield `cohort ${cohort} of project ${project}: ${counted(total, "study")}, ${done ? "done" : "not done yet"}`;
  yield* alignedLines(stateRows(document));
  yield* problemLinesOf(jobs);
  if (withJobs) {
    yield* alignedLines(jobs.map(({ id, state, code, pseudonym }) => [`  ${id}`, state, code ?? "", pseudonym ?? ""]));
  }
}

interface ExportOptions {
  readonly output: string;
  readonly format: "csv" | "pixl-linker";
}

async function exportTo(cli: Cli, id: string, { output, format }: ExportOptions): Promise<ExitCode> {
  const { printer, world } = cli;
  if (output === "-" && format !== "csv") {
    throw new GatewayError("USAGE_INVALID", { problem: "a Parquet file does not go to stdout: name a file" });
  }
  if (output === "-" && printer.json) {
    throw new GatewayError("USAGE_INVALID", { problem: "-o - and --json both want stdout" });
  }
  await using gateway = await openGateway(cli, "client");
  const { operations } = gateway;
  if (output === "-") {
    for await (const piece of operations.exportCohort(id)) await printer.text(piece);
    return EXIT.fine;
  }
  const file = resolve(world.workingFolder, output);
  await writeWholeFile(file, format === "csv" ? operations.exportCohort(id) : linkerOf(operations, id));
  await printer.document({ cohort: id, file }, () => [`written: ${file}`]);
  return EXIT.fine;
}

async function* linkerOf(operations: Gateway["operations"], id: string): AsyncGenerator<Uint8Array> {
  yield await operations.linkCohort(id);
}

async function retry(cli: Cli, id: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const { retried } = await gateway.operations.retryCohort(id);
  await cli.printer.document({ cohort: id, retried }, () => [`${areCounted(retried, "study")} queued again`]);
  return EXIT.fine;
}

async function cancel(cli: Cli, id: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const { cancelled } = await gateway.operations.cancelCohort(id);
  await cli.printer.document({ cohort: id, cancelled }, () => [`${areCounted(cancelled, "study")} cancelled`]);
  return EXIT.fine;
}

async function prioritise(cli: Cli, id: string, priority: number): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const { changed } = await gateway.operations.prioritiseCohort(id, priority);
  const line = `${counted(changed, "study")} not done yet: priority ${priority} now`;
  await cli.printer.document({ cohort: id, priority, changed }, () => [line]);
  return EXIT.fine;
}

async function list(cli: Cli): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const header = ["COHORT", "PROJECT", "SUBMITTED", "ROWS", "ACCEPTED", "DONE"];
  await cli.printer.list(
    gateway.operations.listCohorts(),
    (cohorts) => tableLines(header, cohortTable(cohorts)),
    "no cohort was handed in",
  );
  return EXIT.fine;
}

async function* cohortTable(cohorts: AsyncIterable<CohortDocument>): AsyncGenerator<readonly string[]> {
  for await (const { cohort, project, submittedAt, rows, accepted, done } of cohorts) {
    yield [cohort, project, submittedAt, `${rows}`, `${accepted}`, done ? "yes" : "no"];
  }
}
