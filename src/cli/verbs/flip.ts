import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Completeness } from "../../compat/flip/completeness.ts";
import type { ExplainedStatus, FlipImaging } from "../../compat/flip/flip-imaging.ts";
import type { RetrievalReport } from "../../compat/flip/retrieval.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { examples } from "../help.ts";

const HELP = `
Configured by FLIP's own environment names, as the imaging-api is. The file holds the query of the project's cohort.
`;

interface QueryOptions {
  readonly queryFile: string;
  /** Of status alone. */
  readonly check?: boolean;
}

export function addFlipVerbs(program: Command, cli: Cli): void {
  const flip = program
    .command("flip")
    .description("FLIP's imaging functions: have XNAT draw a project's cohort from its PACS");
  const verb = (
    name: string,
    description: string,
    run: (project: string, options: QueryOptions) => Promise<ExitCode>,
  ) =>
    flip
      .command(`${name} <project>`)
      .description(description)
      .requiredOption("--query-file <file>", "the query of the project's cohort")
      .addHelpText("after", HELP + examples(`flip ${name} 5f0e0b52 --query-file cohort.sql`))
      .action(cli.verb(run));
  verb("retrieve", "ask for what is not there yet", (project, options) => request(cli, project, options, false));
  verb("retry", "ask again for what failed", (project, options) => request(cli, project, options, true));
  verb("status", "what became of each accession number", (project, options) => status(cli, project, options)).option(
    "--check",
    "compare what XNAT has of each study with what the PACS counts; exit code 3 when something is missing",
  );
}

async function openFlip({ world, logger }: Cli): Promise<FlipImaging> {
  const { createFlipImaging } = await import("../../compat/flip/flip-imaging.ts");
  return createFlipImaging(world.environment, { clock: world.clock, logger: await logger("warn") });
}

/** @throws GatewayError USAGE_INVALID */
async function queryOf({ world }: Cli, { queryFile }: QueryOptions): Promise<string> {
  const path = resolve(world.workingFolder, queryFile);
  return await readFile(path, "utf8").catch((thrown: unknown) => {
    throw new GatewayError("USAGE_INVALID", { problem: "the file of --query-file cannot be read" }, thrown);
  });
}

async function request(cli: Cli, project: string, options: QueryOptions, isRetry: boolean): Promise<ExitCode> {
  const query = await queryOf(cli, options);
  await using flip = await openFlip(cli);
  const report = await flip.requestRetrieval(project, query, { isRetry, signal: cli.world.stop });
  await cli.printer.document(report, () => reportLines(report));
  if (report.queued) return EXIT.fine;
  return report.queuedNow + report.present > 0 ? EXIT.partial : EXIT.failed;
}

function* reportLines({ queued, accessions, queuedNow, present, problems }: RetrievalReport): Generator<string> {
  yield `${queued ? "All queued" : "Not all queued"}: ${accessions} accession numbers, ${queuedNow} queued now, ${present} there or on their way`;
  for (const { accession, code, candidates = [] } of problems) {
    yield `  ${accession}  ${code}`;
    for (const { studyInstanceUid, studyDate, modalitiesInStudy, studyDescription } of candidates)
      yield `    ${[studyInstanceUid, studyDate, modalitiesInStudy.join(" "), studyDescription].join("  ").trimEnd()}`;
  }
}

async function status(cli: Cli, project: string, options: QueryOptions): Promise<ExitCode> {
  const query = await queryOf(cli, options);
  await using flip = await openFlip(cli);
  const found = await flip.explainImportStatus(project, query);
  const completeness = options.check === true ? await flip.checkCompleteness(project, found.successful) : undefined;
  const document = completeness === undefined ? found : { ...found, completeness };
  await cli.printer.document(document, () => [...statusLines(found), ...completenessLines(completeness ?? [])]);
  const isShort = completeness?.some(({ verdict }) => verdict === "partial" || verdict === "empty");
  return isShort === true ? EXIT.partial : EXIT.fine;
}

function* completenessLines(studies: readonly Completeness[]): Generator<string> {
  for (const { accession, verdict, found = 0, expected } of studies)
    if (verdict !== "complete")
      yield `  ${accession}  ${verdict}: ${found} of ${expected ?? "an unknown number of"} instances`;
}

const LISTS = ["successful", "failed", "processing", "queued", "queueFailed"] as const;

function* statusLines(status: ExplainedStatus): Generator<string> {
  for (const list of LISTS) yield `${list}: ${status[list].length}`;
  for (const { accession, code, reason } of status.accessions)
    if (code !== undefined) yield `  ${accession}  ${code}${reason === undefined ? "" : `: ${reason}`}`;
}
