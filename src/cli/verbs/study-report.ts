import type { StayedBehindDocument } from "../../operations/documents.ts";
import type { DeidReportDocument } from "../../operations/insight-operations.ts";
import type { Cli } from "../cli.ts";
import { counted } from "../counted.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openGateway } from "../gateway-session.ts";
import { alignedLines } from "../table.ts";

export async function showReport(cli: Cli, id: string): Promise<ExitCode> {
  await using gateway = await openGateway(cli, "client");
  const report = await gateway.operations.studyReport(id);
  await cli.printer.document(report, () => reportLines(report));
  return EXIT.fine;
}

function* reportLines(report: DeidReportDocument): Generator<string> {
  const { counts, profile, verification } = report;
  yield* alignedLines([
    ["study", report.id],
    ["de-identified", `${report.at}, by ${report.engine}`],
    ["profile", `${profile.name} ${profile.version}, rules ${profile.hash}`],
    [
      "instances",
      `${counts.deidentified} of ${counts.instances}, ${counts.excluded} left out, ${counts.rejected} kept back`,
    ],
    [
      "searched",
      `${counted(verification.bytes, "byte")} for ${counted(verification.identifiers, "identifier")}: ${counted(verification.hits, "output")} held back`,
    ],
  ]);
  yield* section(
    "why instances stayed behind:",
    report.reasons.map((each) => [each.code, each.reason, `${each.count}`, kindsText(each)]),
  );
  yield* section(
    "elements:",
    report.elements.map(({ tag, keyword, actions }) => [tag, keyword, textOf(actions)]),
  );
  yield* section(
    "removed or emptied, as no table names them:",
    report.unlisted.map(({ tag, keyword, count }) => [tag, keyword, `${count}`]),
  );
  yield* section(
    "private, removed:",
    Object.entries(report.private).map(([tag, count]) => [tag, `${count}`]),
  );
  yield* section(
    "notes:",
    Object.entries(report.notes).map(([note, count]) => [note, `${count}`]),
  );
}

/** "2 SecondaryCaptureImageStorage OT, 1 other" */
export function kindsText({ kinds = [] }: StayedBehindDocument): string {
  return kinds
    .map(({ sopClass, modality, count }) => `${count} ${sopClass || "of another class"} ${modality}`.trim())
    .join(", ");
}

function textOf(actions: Readonly<Record<string, number>>): string {
  return Object.entries(actions)
    .map(([action, count]) => `${action} ${count}`)
    .join(", ");
}

function* section(title: string, rows: readonly (readonly string[])[]): Generator<string> {
  if (rows.length === 0) return;
  yield title;
  yield* alignedLines(rows.map(([first = "", ...rest]) => [`  ${first}`, ...rest]));
}
