import type { Command } from "commander";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { CheckedStudy, CheckVerdict } from "../../operations/check/documents.ts";
import type { CheckDocument, InquiryItem } from "../../operations/inquiries.ts";
import type { Cli } from "../cli.ts";
import { areCounted, counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { examples } from "../help.ts";
import { followInquiry, itemsOf } from "../inquiry.ts";
import { alignedLines } from "../table.ts";

const HELP = `
Archives are asked, within their windows, what they have by now; destinations are read back as surely as each can be.
With --queue, what came later, vanished or differs is retrieved and delivered again, and nothing else is sent.
Exit code 0 when every study is as it was, 3 when something differs or could not be asked.
`;

export function addCheckVerb(cohort: Command, cli: Cli): void {
  cohort
    .command("check")
    .description("compare archives, our account and destinations with what a cohort brought")
    .argument("<id>")
    .option("--queue", "have the difference retrieved and delivered")
    .addHelpText("after", HELP + examples("cohort check ID", "cohort check ID --queue"))
    .action(cli.verb((id: string, options: { readonly queue?: true }) => check(cli, id, options.queue === true)));
}

async function check(cli: Cli, id: string, queue: boolean): Promise<ExitCode> {
  const { printer } = cli;
  await using gateway = await openGateway(cli, "client");
  const { operations } = gateway;
  const begun = await operations.checkCohortDelivery(id, { queue });
  const document = await followInquiry(cli, operations, { begun, unit: "studies" });
  if (document.state === "failed") throw new GatewayError(document.code ?? "INTERNAL");
  const studies = await Array.fromAsync(itemsOf(operations, document.id, isStudy));
  const { cohort, project, state, startedAt, endedAt, summary } = document;
  await printer.document({ cohort, project, state, startedAt, endedAt, summary, studies }, () =>
    lines(document, studies),
  );
  const isSame = state === "done" && studies.every(({ verdict }) => QUIET.has(verdict));
  return isSame ? EXIT.fine : EXIT.partial;
}

function isStudy(item: InquiryItem): item is CheckedStudy {
  return "verdict" in item;
}

/** What was never delivered was never there to change. */
const QUIET: ReadonlySet<CheckVerdict> = new Set<CheckVerdict>(["same", "not-delivered"]);
/** Studies that are shown to people; `--json` has them all. */
const SHOWN_STUDIES = 50;

function* lines({ cohort, state, progress, summary }: CheckDocument, studies: readonly CheckedStudy[]) {
  yield `check of cohort ${cohort}: ${progress.done} of ${counted(progress.total, "study")}, ${state}`;
  yield* alignedLines(Object.entries(summary?.verdicts ?? {}).map(([verdict, count]) => [`  ${verdict}`, `${count}`]));
  const remarkable = studies.filter(({ verdict }) => !QUIET.has(verdict));
  for (const study of remarkable.slice(0, SHOWN_STUDIES)) yield `  ${studyLine(study)}`;
  if (remarkable.length > SHOWN_STUDIES) yield `  and ${remarkable.length - SHOWN_STUDIES} more: see --json`;
  if (summary !== null && summary.queued > 0) yield `${areCounted(summary.queued, "study")} queued again`;
}

function studyLine({ job, verdict, archive, destinations, queued }: CheckedStudy): string {
  const facts = [
    ...(archive.code === null ? [] : [`archive not asked [${archive.code}]`]),
    ...some(archive.later, "later in the archive"),
    ...some(archive.vanished, "vanished from the archive"),
    ...destinations.flatMap(({ name, vanished, differing, code }) => [
      ...(code === null ? [] : [`${name} not asked [${code}]`]),
      ...some(vanished, `vanished from ${name}`),
      ...some(differing, `other than delivered in ${name}`),
    ]),
    ...(queued ? ["queued again"] : []),
  ];
  return `${job}: ${verdict}${facts.length === 0 ? "" : `: ${facts.join(", ")}`}`;
}

function some(count: number | null, what: string): readonly string[] {
  return count === null || count === 0 ? [] : [`${count} ${what}`];
}
