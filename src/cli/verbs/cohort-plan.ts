import { resolve } from "node:path";
import type { Command } from "commander";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { InquiryItem, PlanDocument } from "../../operations/inquiries.ts";
import type { PlannedArchive, PlannedRow, PlanOutcome, PlanSummary } from "../../operations/plan/documents.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { durationText } from "../duration.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { followInquiry, itemsOf } from "../inquiry.ts";
import { alignedLines } from "../table.ts";

const HELP = `
Nothing is moved, queued or kept: the archives are asked, within their windows, what each row leads to.
Exit code 0 when every row leads to a study, 3 when some do not or could not be asked about, 1 when none does.
`;

export function addPlanVerb(cohort: Command, cli: Cli): void {
  cohort
    .command("plan")
    .description("ask the archives what a list of wanted studies would come to, without moving anything")
    .argument("<path>", "as for submit")
    .requiredOption("--project <name>", "the project that the studies would be for")
    .addHelpText("after", HELP + examples("cohort plan wanted.csv --project lung-ct"))
    .action(cli.verb((file: string, options: { readonly project: string }) => plan(cli, file, options.project)));
}

async function plan(cli: Cli, file: string, project: string): Promise<ExitCode> {
  const { printer, world } = cli;
  await using gateway = await openGateway(cli, "client");
  const { operations } = gateway;
  const begun = await operations.planCohort(resolve(world.workingFolder, file), project);
  const document = await followInquiry(cli, operations, { begun, unit: "rows" });
  if (document.state === "failed") throw new GatewayError(document.code ?? "INTERNAL");
  const rows = await Array.fromAsync(itemsOf(operations, document.id, isRow));
  if (printer.json) for (const line of summaryLines(document)) printer.note(line);
  const { project: name, state, startedAt, endedAt, progress, summary } = document;
  await printer.document({ project: name, state, startedAt, endedAt, progress, summary, rows }, () => [
    ...summaryLines(document),
    ...problemLines(rows),
  ]);
  return exitCodeOf(document, rows);
}

function isRow(item: InquiryItem): item is PlannedRow {
  return "outcome" in item;
}

const LEADS_TO_A_STUDY: ReadonlySet<PlanOutcome> = new Set<PlanOutcome>([
  "matched",
  "joined",
  "delivered",
  "excluded",
  "waits-for-a-person",
]);

function exitCodeOf({ state }: PlanDocument, rows: readonly PlannedRow[]): ExitCode {
  const good = rows.filter(({ outcome }) => LEADS_TO_A_STUDY.has(outcome)).length;
  if (good === 0) return EXIT.failed;
  return good === rows.length && state === "done" ? EXIT.fine : EXIT.partial;
}

function* summaryLines({ project, state, progress, summary }: PlanDocument): Generator<string> {
  yield `plan for project ${project}: ${progress.done} of ${counted(progress.total, "row")}, ${state}; nothing was moved or queued`;
  if (summary === null) return;
  yield* alignedLines(
    Object.entries(summary.outcomes).map(([outcome, rows]) => [`  ${outcome}`, counted(rows, "row")]),
  );
  yield `to retrieve: ${counted(summary.studies, "study")}, ${summary.series} series, ${counted(summary.instances, "instance")}`;
  if (summary.studiesWithoutCount > 0)
    yield `  of ${counted(summary.studiesWithoutCount, "study")} more the archive does not say how many instances they have`;
  yield* diskLines(summary);
  for (const archive of summary.archives) yield `${archive.name}: ${archiveLine(archive)}`;
}

function* diskLines({ disk, studies }: PlanSummary): Generator<string> {
  if (studies === 0) return;
  const free =
    disk.freeBytes === null
      ? ""
      : `; free ${gigabytes(disk.freeBytes)}, of which ${gigabytes(disk.reserveBytes)} stay free`;
  const verdict = disk.fits === false ? ": MORE THAN THERE IS ROOM FOR AT ONCE" : "";
  yield `disk for the originals: about ${gigabytes(disk.sizeBytes)}${free}${verdict}`;
  const groups = Map.groupBy(disk.basis, (basis) =>
    [basis.archive, basis.bytesPerInstance, basis.measuredInstances].join(),
  );
  for (const group of groups.values()) yield* sizeLine(group);
}

/** Modalities of which nothing is known yet have the same figure: they share a line. */
function* sizeLine(group: PlanSummary["disk"]["basis"]): Generator<string> {
  const [first] = group;
  if (first === undefined) return;
  const { archive, bytesPerInstance, measuredInstances } = first;
  const modalities = group.map(({ modality }) => modality || "any modality").join(", ");
  const basis = measuredInstances === 0 ? "an assumption" : `mean of ${counted(measuredInstances, "instance")}`;
  yield `  ${archive} ${modalities}: ${counted(bytesPerInstance, "byte")} an instance (${basis})`;
}

function archiveLine({ studies, paused, isOpen, nextOpening, workSeconds, doneAt }: PlannedArchive): string {
  const standing = paused ? "paused" : isOpen ? "open" : `closed, opens ${nextOpening ?? "never"}`;
  const work = workSeconds === null ? "no rate is set" : `about ${durationText(workSeconds)} at its rate`;
  const done = doneAt === null ? "" : `, done by ${doneAt} within its windows`;
  return `${counted(studies, "study")}, ${standing}; ${work}${done}`;
}

/** Rows that are shown to people; `--json` has them all. */
const SHOWN_ROWS = 50;

function* problemLines(rows: readonly PlannedRow[]): Generator<string> {
  const problems = rows.filter(({ outcome }) => !LEADS_TO_A_STUDY.has(outcome));
  for (const { number, outcome, code } of problems.slice(0, SHOWN_ROWS))
    yield `  row ${number}: ${outcome}${code === null ? "" : ` [${code}]`}`;
  if (problems.length > SHOWN_ROWS) yield `  and ${problems.length - SHOWN_ROWS} more: see --json`;
}

function gigabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e9).toFixed(sizeBytes < 1e9 ? 3 : 1)} GB`;
}
