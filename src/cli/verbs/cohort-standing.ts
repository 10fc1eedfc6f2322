import type { Command } from "commander";
import type { Operations } from "../../operations/operations.ts";
import type {
  StandingDetailDocument,
  StandingDocument,
  StandingRunDocument,
} from "../../operations/standing/documents.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { countOption } from "../option-parsers.ts";
import { tableLines } from "../table.ts";
import { type QueryOptions, queriesOf } from "./search-queries.ts";

const ADD_HELP = `
The running service searches at each time and fetches what is new, or of which the archive has more than before. Dates may be today, or days or weeks
back as -7d or -2w. A time that passed while no service ran is made up for once; one outside the archive's windows waits for the next window.
`;

interface AddOptions extends QueryOptions {
  readonly project: string;
  readonly archive: string;
  readonly at: readonly string[];
  readonly timeZone?: string;
  readonly max?: number;
  readonly archiveCap?: number;
  readonly yesAll?: true;
}

export function addStandingVerbs(cohort: Command, cli: Cli): void {
  const standing = cohort.command("standing").description("searches that are asked again by a timetable");
  addAddVerb(standing, cli);
  standing
    .command("list")
    .description("all of them, when each runs next, and how it last ran")
    .addHelpText("after", examples("cohort standing list"))
    .action(cli.verb(() => list(cli)));
  standing
    .command("show")
    .description("what one asks for, and its last runs")
    .argument("<name>")
    .addHelpText("after", examples("cohort standing show nightly-ct"))
    .action(cli.verb((name: string) => show(cli, name)));
  const change = (verb: string, description: string, ask: Ask): void => {
    standing
      .command(verb)
      .description(description)
      .argument("<name>")
      .addHelpText("after", examples(`cohort standing ${verb} nightly-ct`))
      .action(cli.verb((name: string) => changed(cli, (operations) => ask(operations, name))));
  };
  change("pause", "let no run begin", (operations, name) => operations.pauseStanding(name));
  change("resume", "go on by the timetable", (operations, name) => operations.resumeStanding(name));
  change("run", "have the running service run it now", (operations, name) => operations.runStanding(name));
  standing
    .command("remove")
    .description("remove one; the cohorts that it made stay")
    .argument("<name>")
    .addHelpText("after", examples("cohort standing remove nightly-ct"))
    .action(cli.verb((name: string) => remove(cli, name)));
}

type Ask = (operations: Operations, name: string) => Promise<StandingDocument>;

function addAddVerb(standing: Command, cli: Cli): void {
  standing
    .command("add")
    .description("have a search asked again by a timetable, each time for what is new or changed")
    .argument("<name>", "what it is called; its cohorts are named after it")
    .argument("[keys...]", "Keyword=value, as for cohort search")
    .requiredOption("--project <name>", "the project that the studies are for")
    .requiredOption("--archive <name>", "one of its archives")
    .requiredOption("--at <time...>", "when, as 'Mon-Fri 02:00', 'Sun 14:30', or 02:00 for every day")
    .option("--time-zone <name>", "of the times; left out: the archive's, else this machine's")
    .option("--from <date>", "studies of this day or later: 2026-01-31, today, -7d, -2w")
    .option("--to <date>", "studies of this day or earlier")
    .option("--modality <name>", "studies that have it")
    .option("--description <text>", "study description, as for cohort search")
    .option("--queries <file>", "instead of keys: a CSV with a query in each row, such as a list of patients")
    .option("--max <n>", "a run that finds more studies is refused; 10000 unless told", countOption)
    .option("--archive-cap <n>", "the archive gives so many answers at most, without saying so", countOption)
    .option("--yes-all", "everything the archive has is meant; needs --max")
    .addHelpText(
      "after",
      ADD_HELP +
        examples(
          "cohort standing add nightly-ct --project lung-ct --archive vna --from -7d --modality CT --at 'Mon-Fri 02:00'",
          "cohort standing add follow-up --project lung-ct --archive vna --queries patients.csv --at 'Sun 03:00'",
        ),
    )
    .action(
      cli.verb((name: string, keys: readonly string[], options: AddOptions) => add(cli, { name, keys, options })),
    );
}

async function add(
  cli: Cli,
  { name, keys, options }: { readonly name: string; readonly keys: readonly string[]; readonly options: AddOptions },
): Promise<ExitCode> {
  const { project, archive, at: times, timeZone, max, yesAll, archiveCap } = options;
  const queries = await queriesOf(cli, keys, options);
  const wish = { name, project, archive, queries, times, timeZone, maximumStudies: max, yesAll, archiveCap };
  return await changed(cli, (operations) => operations.addStanding(wish));
}

async function changed(cli: Cli, ask: (operations: Operations) => Promise<StandingDocument>): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const standing = await ask(gateway.operations);
  await cli.printer.document(standing, () => [`${standing.name}: ${nextText(standing)}`]);
  return EXIT.fine;
}

async function remove(cli: Cli, name: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  await gateway.operations.removeStanding(name);
  await cli.printer.document({ name, removed: true }, () => [`${name} is removed; what it brought stays`]);
  return EXIT.fine;
}

async function list(cli: Cli): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const all = await gateway.operations.listStanding();
  async function* documents(): AsyncGenerator<StandingDocument> {
    yield* all;
  }
  const header = ["NAME", "PROJECT", "ARCHIVE", "TIMES", "NEXT", "LAST RUN"];
  await cli.printer.list(documents(), (each) => tableLines(header, rowsOf(each)), "there is no standing cohort");
  return EXIT.fine;
}

async function* rowsOf(all: AsyncIterable<StandingDocument>): AsyncGenerator<readonly string[]> {
  for await (const standing of all) {
    const { name, project, archive, times, timeZone, lastRun } = standing;
    const last = lastRun === null ? "none" : runText(lastRun);
    yield [name, project, archive, `${times.join(", ")} ${timeZone}`, nextText(standing), last];
  }
}

async function show(cli: Cli, name: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const standing = await gateway.operations.showStanding(name);
  await cli.printer.document(standing, () => [...detailLines(standing)]);
  return EXIT.fine;
}

function* detailLines(standing: StandingDetailDocument): Generator<string> {
  const { name, project, archive, times, timeZone, wish, runs } = standing;
  yield `${name}: ${archive} for ${project}, ${times.join(", ")} ${timeZone}; ${nextText(standing)}`;
  for (const { keys, from, to, modality, description } of wish.queries.slice(0, SHOWN_QUERIES)) {
    const words = [...keys, named("from", from), named("to", to), named("modality", modality)];
    yield `  asks for ${[...words, named("description", description)].filter((word) => word !== "").join(" ")}`;
  }
  if (wish.queries.length > SHOWN_QUERIES)
    yield `  and ${counted(wish.queries.length - SHOWN_QUERIES, "query")} more: see --json`;
  for (const run of runs) yield `  run ${run.number}, ${run.startedAt}: ${runText(run)}`;
}

/** Queries that are shown to people. */
const SHOWN_QUERIES = 20;

function named(name: string, value: string | undefined): string {
  return value === undefined ? "" : `${name} ${value}`;
}

function nextText({ paused, nextRunAt, opensAt, lastRun }: StandingDocument): string {
  const waits = opensAt === null ? "" : `, waits until the archive opens ${opensAt}`;
  if (lastRun?.state === "running") return `run ${lastRun.number} is under way${waits}`;
  if (paused) return "paused";
  return nextRunAt === null ? "never runs" : `runs next ${nextRunAt}${waits}`;
}

function runText(run: StandingRunDocument): string {
  const { state, code, found, fresh, changed: more, known, refused, reason, missed, cohort } = run;
  const why = reason === "caught-up" ? `, made up for ${missed + 1} missed` : reason === "asked" ? ", asked for" : "";
  const counts = `${found} found: ${fresh} new, ${more} changed, ${known} known${refused > 0 ? `, ${refused} refused` : ""}`;
  const told = state === "running" || state === "failed" ? "" : `, ${counts}`;
  return `${state}${code === null ? "" : ` [${code}]`}${told}${cohort === null ? "" : `, ${cohort}`}${why}`;
}
