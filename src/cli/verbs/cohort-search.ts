import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { InquiryItem, SearchDocument } from "../../operations/inquiries.ts";
import type { SearchedQuery } from "../../operations/search/documents.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { followInquiry, itemsOf } from "../inquiry.ts";
import { countOption } from "../option-parsers.ts";
import { writeWholeFile } from "../write-whole-file.ts";
import { estimateLines } from "./search-estimate.ts";
import { type QueryOptions, queriesOf } from "./search-queries.ts";

const HELP = `
Without -o or --submit the studies are counted and nothing is kept. What it will cost the archive is said first; --dry-run says it alone. The archive is asked by date ranges where it cuts its answers.
--queries takes a CSV with a column for each key, named like the options (from, to, modality, description) or by DICOM keyword; a row is a query.
Exit code 0 when the search is complete, 3 when some of it could not be asked or the archive may hold studies back, 1 when nothing was found.
`;

interface SearchOptions extends QueryOptions {
  readonly project: string;
  readonly archive: string;
  readonly max?: number;
  readonly archiveCap?: number;
  readonly yesAll?: true;
  readonly count?: true;
  readonly output?: string;
  readonly submit?: true;
}

export function addSearchVerb(cohort: Command, cli: Cli): void {
  cohort
    .command("search")
    .description("search an archive for studies; count them, write them as a cohort file, or submit them")
    .argument("[keys...]", "Keyword=value, as for archive find")
    .requiredOption("--project <name>", "the project that the studies would be for")
    .requiredOption("--archive <name>", "one of its archives")
    .option("--from <date>", "studies of this day or later, as 2026-01-31")
    .option("--to <date>", "studies of this day or earlier")
    .option("--modality <name>", "studies that have it")
    .option(
      "--description <text>",
      "study description; * and ? where the archive knows them, /pattern/ or /pattern/i here",
    )
    .option("--queries <file>", "instead of keys: a CSV with a query in each row")
    .option("--max <n>", "so many studies at most", countOption)
    .option("--archive-cap <n>", "the archive gives so many answers at most, without saying so", countOption)
    .option("--yes-all", "everything the archive has is meant; needs --max")
    .addOption(new Option("--count", "only count").conflicts(["output", "submit"]))
    .option("-o, --output <file>", "write what was found as a cohort file; it holds patients' identifiers")
    .option("--submit", "submit what was found")
    .addHelpText(
      "after",
      HELP +
        examples(
          "cohort search --project lung-ct --archive vna --from 2026-01-01 --to 2026-03-31 --modality CT",
          "cohort search --project lung-ct --archive vna PatientID=4711 -o wanted.csv",
          "cohort search --project lung-ct --archive vna --queries patients.csv --dry-run",
          "cohort search --project lung-ct --archive vna --from 2026-01-01 --description '/thorax|chest/i' --submit",
        ),
    )
    .action(cli.verb((keys: readonly string[], options: SearchOptions) => search(cli, keys, options)));
}

async function search(cli: Cli, keys: readonly string[], options: SearchOptions): Promise<ExitCode> {
  const { printer, world } = cli;
  const { project, archive, output } = options;
  const queries = await queriesOf(cli, keys, options);
  const isKept = output !== undefined || options.submit === true;
  await using gateway = await openGateway(cli, "client");
  const { operations } = gateway;
  const wish = {
    ...{ project, archive, queries, countOnly: !isKept },
    ...{ maximumStudies: options.max, yesAll: options.yesAll, archiveCap: options.archiveCap },
  };
  const estimate = await operations.estimateSearch(wish);
  if (cli.isRehearsal()) {
    await printer.document(estimate, () => estimateLines(estimate));
    return EXIT.fine;
  }
  for (const line of estimateLines(estimate)) printer.note(line);
  const begun = await operations.searchCohort(wish);
  const document = await followInquiry(cli, operations, { begun, unit: "queries" });
  if (document.state === "failed") throw new GatewayError(document.code ?? "INTERNAL");
  const asked = await Array.fromAsync(itemsOf(operations, document.id, isQuery));
  const found = document.summary?.studies ?? 0;
  for (const line of summaryLines(document, asked)) printer.note(line);
  const file = output === undefined ? undefined : resolve(world.workingFolder, output);
  if (file !== undefined && document.state === "done") await writeWholeFile(file, operations.searchResult(document.id));
  const hasAny = options.submit === true && document.state === "done" && found > 0;
  const submitted = hasAny ? await operations.submitSearch(document.id) : undefined;
  const { state, summary } = document;
  const told = { project, archive, state, estimate, summary, queries: asked };
  await printer.document(
    { ...told, ...(file === undefined ? {} : { file }), ...(submitted === undefined ? {} : { submitted }) },
    () => [
      ...(file === undefined || state !== "done" ? [] : [`written: ${file}`]),
      ...(submitted === undefined
        ? []
        : [
            `cohort ${submitted.cohort}: ${counted(submitted.accepted, "study")} accepted, ${submitted.joined} of them known already`,
          ]),
    ],
  );
  if (found === 0) return EXIT.failed;
  return state === "done" && summary?.isComplete === true ? EXIT.fine : EXIT.partial;
}

function isQuery(item: InquiryItem): item is SearchedQuery {
  return "questions" in item;
}

/** Queries that are shown to people; `--json` has them all. */
const SHOWN_QUERIES = 20;

function* summaryLines(
  { archive, state, summary }: SearchDocument,
  asked: readonly SearchedQuery[],
): Generator<string> {
  if (summary === null) {
    yield `search in ${archive}: ${state} after ${counted(asked.length, "query")}`;
    return;
  }
  const { studies, queries, questions, passedOver, modalityUntold, cutDays, instances, studiesWithoutCount } = summary;
  yield `search in ${archive}: ${counted(studies, "study")} by ${counted(queries, "query")}, which asked the archive ${counted(questions, "question")}`;
  const untold =
    studiesWithoutCount > 0
      ? `, and of ${counted(studiesWithoutCount, "study")} the archive does not say how many`
      : "";
  if (studies > 0) yield `  ${counted(instances, "instance")} to retrieve${untold}`;
  if (passedOver > 0) yield `  ${counted(passedOver, "answer")} more did not match what was asked for`;
  if (modalityUntold > 0) yield `  of ${modalityUntold} of them the archive does not say of which modality they are`;
  if (cutDays > 0) yield `  of ${counted(cutDays, "day")} the archive may hold back studies: narrow the search`;
  const unfinished = asked.filter(({ code }) => code !== null);
  for (const { number, code } of unfinished.slice(0, SHOWN_QUERIES))
    yield `  query ${number} was not finished [${code}]`;
  if (unfinished.length > SHOWN_QUERIES) yield `  and ${unfinished.length - SHOWN_QUERIES} more: see --json`;
}
